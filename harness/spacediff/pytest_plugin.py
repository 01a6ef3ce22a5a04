"""A pytest plugin: the fixture `reproduces`, whose audits have folders of their own, so that tests run side by side.

```python
def test_the_release_gives_what_the_space_shows(reproduces):
    reproduces("mine.toml", max_drift=0.05)

@pytest.mark.spacediff("mine.toml", max_drift=0.05)
def test_more_about_it(spacediff_result):
    assert not spacediff_result.record.ignored
```
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from spacediff.results import AuditResult

_FOLDER = "audits/pytest"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says where the audits of tests go."""
    parser.getgroup("spacediff").addoption(
        "--spacediff-out", default=_FOLDER, metavar="DIR", help=f"audit folders of tests (default: {_FOLDER})"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "spacediff(scenario, **options): run this scenario before the test, which fails unless it reproduces"
    )


@pytest.fixture
def reproduces(request: pytest.FixtureRequest) -> Callable[..., AuditResult]:
    """`spacediff.assert_reproduces`, with an audit folder of the test's own, which stays with its page."""
    from spacediff import SpacediffError, assert_reproduces
    from spacediff.file_names import portable_name

    folder = Path(request.config.getoption("--spacediff-out")) / portable_name(request.node.nodeid)
    calls = count(1)

    def run(scenario: str | Path, **options: Any) -> AuditResult:
        __tracebackhide__ = True
        number = next(calls)
        out = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        try:
            return assert_reproduces(scenario, **{"out": out, **options})
        except SpacediffError as error:
            pytest.fail(f"{error.message}\n{error.hint}".rstrip(), pytrace=False)

    return run


@pytest.fixture
def spacediff_result(request: pytest.FixtureRequest, reproduces: Callable[..., AuditResult]) -> AuditResult:
    """What the scenario of the test's marker found."""
    marker = request.node.get_closest_marker("spacediff")
    if marker is None or len(marker.args) != 1:
        pytest.fail("spacediff_result needs a marker: @pytest.mark.spacediff('scenario.toml')", pytrace=False)
    return reproduces(*marker.args, **marker.kwargs)

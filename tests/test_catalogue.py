from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalogue import CATALOGUE, as_markdown, known_cause


def test_the_documentation_is_drawn_from_the_catalogue() -> None:
    page = Path(__file__).parent.parent / "docs" / "known-causes.md"
    assert page.read_text("utf-8") == as_markdown(), (
        "write it anew: python -c 'from harness.catalogue import as_markdown; print(as_markdown(), end=\"\")'"
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("scheduler.class", "scheduler"),
        ("scheduler.beta_schedule", "timestep spacing"),
        ("load.use_dynamic_cfg", "dynamic CFG"),
        ("load.quantization_config", "quantisation"),
        ("placement", "offloading"),
        ("output.fps", "file"),
    ],
)
def test_the_most_exact_entry_goes_with_a_setting(path: str, name: str) -> None:
    cause = known_cause(path)
    assert cause
    assert cause.name == name


def test_an_unknown_setting_has_no_entry() -> None:
    assert known_cause("call.attention_kwargs") is None


def test_every_entry_is_whole() -> None:
    for cause in CATALOGUE:
        assert all((cause.name, cause.looks, cause.detected, cause.size, cause.change, cause.source))
    assert len({cause.name for cause in CATALOGUE}) == len(CATALOGUE)

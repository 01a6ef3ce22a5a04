"""docs/api.md: its examples run, and it lists every public name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import spacediff
from support.paths import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
NETWORK = "<!-- needs a network: compiled only -->\n"
BLOCKS = re.findall(rf"({NETWORK})?```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run = 0
    for number, (needs_network, block) in enumerate(BLOCKS, 1):
        code = compile(block, f"docs/api.md, example {number}", "exec")
        if not needs_network:
            exec(code, namespace)  # noqa: S102 - our own documentation
            run += 1
    assert run >= 5
    printed = capsys.readouterr().out
    assert "rng.device = cuda read run.py:6\n" in printed
    assert "as-hosted reused" in printed
    assert "video-not-readable\nthere is no file missing.mp4" in printed
    assert (tmp_path / "audits" / "mine" / "junit.xml").is_file()


def names_listed() -> set[str]:
    """Return the names in the first column of the tables under "Names"."""
    rows = re.findall(r"^\| (`.*?) \|", PAGE.partition("\n## Names\n")[2], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_public_name_is_listed_and_no_other() -> None:
    assert names_listed() == {*spacediff.__all__, "__version__"}


def test_every_error_is_public() -> None:
    from spacediff.errors import error_classes

    assert {each.__name__ for each in error_classes()} <= set(spacediff.__all__)


def test_the_bases_of_the_errors_are_as_listed() -> None:
    rows = re.findall(r"^\| (`[^|]+) \| `(\w+)` \|$", PAGE.partition("\n### Errors\n")[2], re.MULTILINE)
    bases = {name: base for names, base in rows for name in re.findall(r"`(\w+)`", names)}
    assert len(bases) > 40
    assert {name: getattr(spacediff, name).__base__.__name__ for name in bases} == bases

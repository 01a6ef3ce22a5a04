"""The kinds of notes are a closed list: code, documentation and comparison know the same ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from spacediff.reading.model import NoteKind
from spacediff.why import effects

PAGE = Path(__file__).parents[2] / "docs/reading.md"
KINDS = get_args(NoteKind)


def test_the_documentation_describes_each_kind() -> None:
    _, _, after = PAGE.read_text("utf-8").partition("\n## Notes\n")
    section, _, _ = after.partition("\n## ")
    assert sorted(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == sorted(KINDS)


def test_the_comparison_knows_no_other_kind() -> None:
    assert set(KINDS) >= effects.ABOUT_READING
    assert effects.CAUSES.keys() <= set(KINDS)

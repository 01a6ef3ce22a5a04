"""Each patched script, read again, sets what its Space sets, except what is left by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.reading.signatures import refusals
from support.fuzzing import examples
from support.patching import Pair, compared
from support.paths import ROOT
from support.styles import SPACE_STYLE, STYLES, rendered, sides

PAIRS = sorted(each.parent for each in (ROOT / "tests" / "data" / "pairs").glob("*/script.py"))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def pair(folder: Path) -> Pair:
    space = folder / "space.py"
    return compared(folder / "script.py", space if space.exists() else folder / "space")


@pytest.mark.parametrize("folder", PAIRS, ids=lambda folder: folder.name)
def test_a_patched_script_differs_only_in_what_is_left_by_hand(folder: Path, tmp_path: Path) -> None:
    one = pair(folder)
    patched = one.patched(tmp_path)
    compile(patched, "script.py", "exec", dont_inherit=True)
    differing = {row.path for row in one.found.differences}
    assert one.left_in(patched) == set(one.advice.by_hand) == differing - set(one.advice.changes)


@pytest.mark.parametrize("folder", PAIRS, ids=lambda folder: folder.name)
def test_lines_that_are_not_edited_stay(folder: Path, tmp_path: Path) -> None:
    one = pair(folder)
    kept = [line for line in one.patched(tmp_path).splitlines(keepends=True) if line in one.file.read_bytes()]
    removed = sum(line.startswith("-") for line in one.advice.patch.splitlines()) - bool(one.advice.patch)
    assert len(kept) >= len(one.file.read_bytes().splitlines()) - removed


def test_at_most_a_tenth_of_all_differences_is_left_by_hand() -> None:
    every = [pair(folder) for folder in PAIRS]
    total = sum(len(one.found.differences) for one in every)
    by_hand = [f"{one.file.parent.name}: {path}" for one in every for path in one.advice.by_hand]
    assert len(by_hand) <= total / 10, f"{len(by_hand)} of {total} differences are left by hand: {by_hand}"
    assert total > 100


@given(sides=sides(), style=st.sampled_from(sorted(STYLES)))
@settings(max_examples=examples(25), deadline=None)
def test_any_differences_in_any_style_are_patched(
    tmp_path_factory: pytest.TempPathFactory, sides: tuple[dict[str, object], dict[str, object]], style: str
) -> None:
    ours, theirs = sides
    folder = tmp_path_factory.mktemp("pair")
    (folder / "script.py").write_text(rendered(style, ours))
    (folder / "space.py").write_text(rendered(SPACE_STYLE, theirs))
    one = compared(folder / "script.py", folder / "space.py")
    patched = one.patched(tmp_path_factory.mktemp("patched"))
    assert one.left_in(patched) == set(one.advice.by_hand) == set(), patched.decode()
    assert refusals(one.script) == []

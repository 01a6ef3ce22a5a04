"""The Space side of a comparison: what is read, and what gives the clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import InvalidArgument
from spacediff.space_side import space_side


@pytest.mark.parametrize("name", ["org/space", "https://huggingface.co/spaces/org/space"])
def test_a_space_is_asked_under_its_id(name: str) -> None:
    assert space_side(name).hosted == "org/space"


def test_a_folder_is_read_and_not_asked_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "space").mkdir(parents=True)
    assert space_side("org/space").hosted == ""
    assert space_side("org/other").hosted == "org/other"


def test_a_built_in_space_is_read_from_its_source_and_asked_by_its_name() -> None:
    side = space_side("builtin:tiny-space-random")
    assert (Path(side.source).name, side.hosted) == ("space_app.py", "builtin:tiny-space-random")
    assert side.checkpoint == "builtin:tiny-cogvideox-random"


def test_another_built_in_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidArgument) as caught:
        space_side("builtin:tiny-spaces")
    assert "builtin:tiny-space-random" in caught.value.hint

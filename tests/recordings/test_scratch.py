from __future__ import annotations

import os
from pathlib import Path

import pytest

from spacediff.errors import GenerationFailed
from spacediff.recordings import scratch
from spacediff.recordings.scratch import fill_scratch


def written(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("work", "scratch"):
        (tmp_path / name).mkdir()
    return tmp_path / "work", tmp_path / "scratch"


def test_what_a_script_writes_over_stays_as_it_was(places: tuple[Path, Path]) -> None:
    work, copy = places
    written(work, "clip.mp4", "out/last.png", "model/unet.safetensors")
    links = fill_scratch(work, copy)
    assert (copy / "out" / "last.png").read_text() == "out/last.png"
    (copy / "clip.mp4").write_text("new")
    (copy / "out" / "more.png").write_text("new")
    assert (work / "clip.mp4").read_text() == "clip.mp4"
    assert not (work / "out" / "more.png").exists()
    assert [each.path.name for each in links] == ["unet.safetensors"]
    assert (copy / "model" / "unet.safetensors").read_text() == "model/unet.safetensors"
    assert links[0].is_as_before
    (copy / "model" / "unet.safetensors").write_text("written through the link")
    assert not links[0].is_as_before


def test_environments_audits_and_hidden_folders_are_left_out(places: tuple[Path, Path]) -> None:
    work, copy = places
    written(work, ".git/config", "venv/pyvenv.cfg", "audits/s/audit.json", "runs/a.png", "audits/t/.lock", ".env")
    written(work, "audits/t/runs/x")
    fill_scratch(work, copy)
    found = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())
    assert found == [".env", "runs/a.png"]


@pytest.mark.skipif(os.name == "nt", reason="Windows allows links to some users only")
def test_a_scratch_folder_within_the_folder_is_not_copied_into_itself(tmp_path: Path) -> None:
    written(tmp_path, "run.py", "temporary/of-another-run/clip.mp4")
    copy = tmp_path / "temporary" / "of-this-run" / "scratch"
    copy.mkdir(parents=True)
    fill_scratch(tmp_path, copy)
    assert [path.relative_to(copy).as_posix() for path in copy.rglob("*")] == ["run.py"]


def test_a_linked_folder_is_copied_and_a_circle_stays_one_within_the_copy(places: tuple[Path, Path]) -> None:
    work, copy = places
    written(work.parent, "elsewhere/clip.mp4", "elsewhere/unet.safetensors")
    (work / "outputs").symlink_to(work.parent / "elsewhere", target_is_directory=True)
    (work / "again").symlink_to(work, target_is_directory=True)
    (work.parent / "elsewhere" / "up").symlink_to(work, target_is_directory=True)
    links = fill_scratch(work, copy)
    (copy / "outputs" / "clip.mp4").write_text("new")
    (copy / "again" / "outputs" / "more.mp4").write_text("new")
    assert sorted(path.name for path in (work.parent / "elsewhere").iterdir()) == ["clip.mp4", "unet.safetensors", "up"]
    assert (work / "outputs" / "clip.mp4").read_text() == "elsewhere/clip.mp4"
    assert (copy / "outputs" / "more.mp4").read_text() == "new"
    assert (copy / "outputs" / "up").resolve() == copy.resolve()
    assert [each.path.name for each in links] == ["unet.safetensors"]


def test_too_much_is_refused(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    work, copy = places
    written(work, "a", "b", "c")
    monkeypatch.setattr(scratch, "MOST_FILES", 2)
    with pytest.raises(GenerationFailed, match="more than 2 files"):
        fill_scratch(work, copy)

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spacediff.errors import InvalidArgument
from spacediff.recordings import interpreters
from spacediff.recordings.identity import code_of, names_in, stamp_of_names, versions_of
from spacediff.recordings.script import check_interpreter


def test_the_modules_next_to_a_script_are_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    for name, text in {
        "run.py": "import one\nfrom package import inner\nimport torch",
        "one.py": "from two import x",
        "two.py": "x = 1",
        "other.py": "",
        "package/__init__.py": "",
        "package/inner.py": "from . import deep",
        "package/deep.py": "import run",
    }.items():
        (tmp_path / name).write_text(text)
    before = code_of(tmp_path / "run.py")
    assert list(before) == ["one.py", "package/__init__.py", "package/deep.py", "package/inner.py", "run.py", "two.py"]
    (tmp_path / "two.py").write_text("x = 2")
    after = code_of(tmp_path / "run.py")
    assert [name for name in before if before[name] != after[name]] == ["two.py"]


def test_code_that_does_not_parse_is_still_identified(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("def (")
    assert list(code_of(tmp_path / "run.py")) == ["run.py"]


def test_files_that_a_script_or_its_arguments_name_are_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("open('in.png'); print('a text', f'{1}/x.png')")
    (tmp_path / "in.png").write_text("1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_text("1")
    names = names_in([tmp_path / "run.py"], ["--mask=folder", "--steps", "2"])
    assert {"in.png", "folder", "a text", "2"} <= set(names)
    stamps = {stamp_of_names(names, tmp_path)}
    for changed in ("in.png", "folder/x"):
        (tmp_path / changed).write_text("12")
        stamps.add(stamp_of_names(names, tmp_path))
    assert len(stamps) == 3


def test_what_a_script_writes_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("""
np.save("a.npy", load("in.npy"))
export_to_video(frames, output_video_path="b.mp4")
frames[0].save("c.png")
open("d.txt", "w").write("e")
Path("dir").mkdir(exist_ok=True)
open("f.txt").read()
""")
    names = names_in([tmp_path / "run.py"], ["--out", "g.mp4", "--output-dir=h", "-i", "k.png"])
    assert [name for name in names if name.strip("-")] == ["-i", "f.txt", "in.npy", "k.png"]


def test_what_is_read_in_an_encoding_or_by_an_option_about_pictures_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("""
open("a.json", encoding="latin-1", errors="replace")
open("b.json", "r", -1, "ascii")
Path("c.json").open(encoding="ascii")
Path("d.json").open("rb")
open("r+.txt", "r+"); open("w.txt", mode="w"); Path("x.txt").open("x"); gzip.open("g.gz", "wt")
""")
    options = ["--logo", "logo.png", "--outpaint-image=in.png", "--saved-latents", "s.pt", "--log_dir", "l", "-o", "o"]
    names = [name for name in names_in([tmp_path / "run.py"], options) if "." in name]
    read = ["a.json", "b.json", "c.json", "d.json"]
    assert [name for name in names if "=" not in name] == [*read, "in.png", "logo.png", "s.pt"]


def test_the_working_folder_and_those_around_it_are_no_part_of_it(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    names = ["./", "../", str(tmp_path), "./a/.."]
    before = stamp_of_names(names, work)
    (work / "a").mkdir()
    (work / "a" / "x").write_text("1")
    assert stamp_of_names(names, work) == before
    assert stamp_of_names(["./a"], work) != before


def test_names_that_no_system_has_are_nothing(tmp_path: Path) -> None:
    assert stamp_of_names(["a\0b", "x" * 400, "~nobody-here/x", "text/plain"], tmp_path) == stamp_of_names([], tmp_path)


def test_the_versions_of_another_interpreter_are_asked_of_it(tmp_path: Path) -> None:
    found = versions_of(Path(sys.executable))
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "torch" in found
    with pytest.raises(InvalidArgument, match="does not start"):
        versions_of(tmp_path / "python")


def test_an_interpreter_that_is_slow_is_not_called_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, other = tmp_path / "python", tmp_path / "another-program"
    for file, line in ((slow, "exec sleep 30"), (other, "exit 3")):
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)
    with pytest.raises(InvalidArgument, match="does not start as a Python"):
        check_interpreter(str(other))
    monkeypatch.setattr(interpreters, "_PATIENCE", 0.1)
    with pytest.raises(InvalidArgument, match=r"has not answered after 0\.1 s"):
        check_interpreter(str(slow))

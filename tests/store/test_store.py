from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacediff.errors import FileNotAccessible
from spacediff.record import Role, RunRecord
from spacediff.store.store import Store
from support.fuzzing import examples

KEY = "0123456789abcdef"


def record(name: str = "baseline") -> RunRecord:
    return RunRecord(key=KEY, name=name, role=Role.BASELINE, prompt="p", source="diffusers", measured=True)


def finished(folder: Path) -> Store:
    store = Store(folder)
    with store.writing(KEY) as draft:
        (draft / "clip.bin").write_bytes(bytes(range(256)))
        store.seal(draft, record())
    return store


def test_a_finished_run_is_found_again(tmp_path: Path) -> None:
    assert Store(tmp_path).get(KEY) is None
    finished(tmp_path)
    assert Store(tmp_path).get(KEY) == record()
    assert Store(tmp_path).get("another") is None


def test_a_run_that_failed_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail() -> None:
        with store.writing(KEY) as draft:
            (draft / "clip.bin").write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.get(KEY) is None
    assert list((tmp_path / "runs").iterdir()) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(25))
@given(position=st.integers(0, 255), bit=st.integers(0, 7))
def test_a_run_with_a_flipped_bit_is_not_returned(tmp_path: Path, position: int, bit: int) -> None:
    store = finished(tmp_path)
    file = store.folder_of(KEY) / "clip.bin"
    content = bytearray(file.read_bytes())
    content[position] ^= 1 << bit
    file.write_bytes(content)
    assert store.get(KEY) is None


@pytest.mark.parametrize("name", ["run.json", "files.json", "clip.bin"])
@pytest.mark.parametrize("damage", ["truncate", "remove", "garbage"])
def test_damage_of_any_file_is_noticed(tmp_path: Path, name: str, damage: str) -> None:
    file = finished(tmp_path).folder_of(KEY) / name
    if damage == "truncate":
        file.write_bytes(file.read_bytes()[:-3])
    elif damage == "remove":
        file.unlink()
    else:
        file.write_bytes(b"[1]")
    store = Store(tmp_path)
    assert store.get(KEY) is None
    assert finished(tmp_path).get(KEY) == record()


def test_a_run_with_an_empty_manifest_is_not_returned(tmp_path: Path) -> None:
    store = finished(tmp_path)
    (store.folder_of(KEY) / "files.json").write_text("{}")
    assert store.get(KEY) is None


def test_a_killed_writer_leaves_no_run_and_its_draft_is_removed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from spacediff.store.store import Store
with Store(Path({str(tmp_path)!r})).writing({KEY!r}) as draft:
    (draft / "clip.bin").write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""
    writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    store = Store(tmp_path)
    assert store.get(KEY) is None
    assert len(list((tmp_path / "runs").iterdir())) == 1
    for _ in range(50):
        store.discard_drafts()
        if not list((tmp_path / "runs").iterdir()):
            break
        time.sleep(0.1)
    assert list((tmp_path / "runs").iterdir()) == []
    assert finished(tmp_path).get(KEY) == record()


def test_an_audit_writes_through_no_link_and_removes_nothing_behind_one(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "audit"
    (elsewhere / KEY).mkdir(parents=True)
    (elsewhere / KEY / "precious").write_text("kept")
    (elsewhere / KEY / "precious").chmod(0o400)
    folder.mkdir()
    (folder / "runs").symlink_to(elsewhere)
    with pytest.raises(FileNotAccessible, match="runs is a link"), Store(folder).locked():
        pass
    (folder / "runs").unlink()
    (folder / "runs").mkdir()
    (folder / "runs" / KEY).symlink_to(elsewhere / KEY)
    with pytest.raises(FileNotAccessible, match=f"{KEY} is a link"), Store(folder).locked():
        pass
    Store(folder).discard(KEY)
    assert not (folder / "runs" / KEY).is_symlink()
    assert (elsewhere / KEY / "precious").stat().st_mode & 0o777 == 0o400
    link = tmp_path / "chosen"
    link.symlink_to(folder)
    with Store(link).locked():
        assert finished(link).get(KEY) == record()


def test_a_lock_that_is_a_link_is_not_opened(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / ".lock").symlink_to(precious)
    with pytest.raises(FileNotAccessible, match=r"\.lock is a link"), Store(tmp_path / "audit").locked():
        pass
    assert precious.read_text() == "kept"


def test_a_file_in_place_of_a_runs_folder_is_named_before_anything_is_run(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / KEY).write_text("")
    with pytest.raises(FileNotAccessible, match=f"{KEY} is a file"), Store(tmp_path).locked():
        pass

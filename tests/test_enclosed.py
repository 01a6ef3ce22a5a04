"""The script and the patch beside a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.enclosed import PATCH, SCRIPT, discard_enclosed, enclose_patch, enclose_script, enclosed

TOKEN = "hf_" + "a" * 20


def test_a_script_is_kept_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(f'login("{TOKEN}")\nopen("{Path.home()}/lemon.png")\n')
    enclose_script(tmp_path, tmp_path / "run.py")
    enclose_patch(tmp_path, f"+{TOKEN}\n")
    assert enclosed(tmp_path, SCRIPT) == 'login("[redacted]")\nopen("~/lemon.png")\n'
    assert enclosed(tmp_path, PATCH) == "+[redacted]\n"


def test_the_patch_of_another_script_is_discarded(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("pass\n")
    enclose_script(tmp_path, tmp_path / "run.py")
    enclose_patch(tmp_path, "+pass\n")
    enclose_script(tmp_path, tmp_path / "run.py")
    assert enclosed(tmp_path, PATCH) == "+pass\n"
    (tmp_path / "run.py").write_text("...\n")
    enclose_script(tmp_path, tmp_path / "run.py")
    assert (enclosed(tmp_path, SCRIPT), enclosed(tmp_path, PATCH)) == ("...\n", "")


def test_files_of_the_user_in_the_audit_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("mine")
    (tmp_path / "script.patch").write_text("mine")
    enclose_script(tmp_path, tmp_path / "script.py")
    discard_enclosed(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"script.py": "mine", "script.patch": "mine"}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * (256 * 1024 + 1)], ids=["no text", "too large"])
def test_what_is_no_script_is_not_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.py").write_bytes(content)
    enclose_script(tmp_path, tmp_path / "run.py")
    assert not (tmp_path / SCRIPT).exists()


def test_no_link_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "secret.py").write_text("secret")
    (tmp_path / "audit" / SCRIPT).symlink_to(tmp_path / "secret.py")
    assert enclosed(tmp_path / "audit", SCRIPT) == ""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.privacy.private_prompts import private
from spacediff.privacy.redaction import redact
from spacediff.record.file import field_names

PROGRAM = """
import json, sys
from spacediff.privacy.redaction import redact
print(json.dumps(redact(json.load(sys.stdin))))
"""
HOST_PROGRAM = """
import json, platform, sys
platform.node = lambda: sys.argv[1]
from spacediff.privacy.redaction import redact
print(json.dumps(redact(json.load(sys.stdin))))
"""
SHORT, LONG, SPELT = "begins-alike", "begins-alike-goes-on", 'p/a "ss"+ü'
HOME = {"MY_TOKEN": SHORT, "OTHER_TOKEN": LONG, "MY_PASSWORD": SPELT}
HOME |= {"HOME": "/home/ada", "USER": "ada", "LOGNAME": "ada", "HF_TOKEN": "planted-secret-value"}


def redacted(text: str, host: str = "") -> str:
    import json

    done = subprocess.run(
        [sys.executable, "-c", HOST_PROGRAM if host else PROGRAM, host],
        input=json.dumps({"key": [text]}),
        env={**os.environ, **HOME},
        capture_output=True,
        text=True,
        check=True,
    )
    found: str = json.loads(done.stdout)["key"][0]
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loaded /home/ada/models/tiny", "loaded ~/models/tiny"),
        ("token hf_abcdefghijklmnopqrstuvwxyz0123", "token [redacted]"),
        ("the value planted-secret-value leaked", "the value [redacted] leaked"),
        ("Authorization: Bearer abc.def-123456", "Authorization: [redacted]"),
        ("/srv/users/ada/clip.mp4", "/srv/users/[user]/clip.mp4"),
        ("it lies in /home/ada.", "it lies in ~."),
        ("/home/ada, '/home/ada': /home/adam", "~, '~': /home/adam"),
        ("/home/ada.bak and /home/ada-old/x", "~.bak and ~-old/x"),
        ("file:%2Fhome%2Fada%2Fx and \\/home\\/ada\\/x", "file:~%2Fx and ~\\/x"),
        ("/scratch/pytest-of-ada/pytest-0", "/scratch/pytest-of-[user]/pytest-0"),
        ("/srv%2Fada%2Fx, ada%40box", "/srv%2F[user]%2Fx, [user]%40box"),
        ("runs/ada.mkv", "runs/ada.mkv"),
        (f"{LONG} {SHORT} {LONG}s", "[redacted] [redacted] [redacted]s"),
        (f"key={SPELT}, key=p%2Fa+%22ss%22%2b%C3%BC", "key=[redacted], key=[redacted]"),
        ('{"k": "p/a \\"ss\\"+ü"}', '{"k": "[redacted]"}'),
        ("ghs_abcdefghijklmnopqrst ghu_abcdefghijklmnopqrst", "[redacted] [redacted]"),
        ("sk-proj-abcdef_ghij-klmnopqrst, a task-abcdefghijklmnopq", "[redacted], a task-abcdefghijklmnopq"),
        ("token%3Dhf_abcdefghijklmnopqrstuvwxyz0123", "token%3D[redacted]"),
        ("https://ada:s3cret@git.example/x?y=1", "https://[redacted]@git.example/x?y=1"),
        ("https://me:p@ss@git.example, mail@example", "https://[redacted]@git.example, mail@example"),
        ("https://x.hf.space/?__sign=eyJhbGciOi&a=b", "https://x.hf.space/?__sign=[redacted]&a=b"),
        ("https://x/y?access_token=abc#top", "https://x/y?access_token=[redacted]#top"),
        ("Canada is not a user; hf_short neither", "Canada is not a user; hf_short neither"),
    ],
)
def test_secrets_and_names_are_redacted(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("host", "text", "expected"),
    [
        ("render-box-7", "refused by render-box-7.lab.example:80", "refused by [host]:80"),
        ("render-box-7.lab.example", "on RENDER-BOX-7, not on render-box-70", "on [host], not on render-box-70"),
        ("lemon", "a lemon at ssh://lemon.lan/ and ada@lemon", "a lemon at ssh://[host]/ and [user]@[host]"),
        ("localhost", "http://localhost:7860", "http://localhost:7860"),
    ],
)
def test_the_name_of_the_machine_is_redacted(host: str, text: str, expected: str) -> None:
    assert redacted(text, host) == expected


def test_keys_are_redacted_and_none_is_lost() -> None:
    planted = "hf_abcdefghijklmnopqrstuvwxyz0123"
    found = redact({"verdict": 1, planted: 2, f"{planted}4": {planted: [3]}}, own={"verdict"})
    assert found == {"verdict": 1, "[redacted]": 2, "[redacted] (2)": {"[redacted]": [3]}}
    with private(["the verdicts of zeppelins"]):
        assert redact({"the_verdicts_of_zeppelins": 1}, own={"the_verdicts_of_zeppelins"}) == {
            "the_verdicts_of_zeppelins": 1
        }


def test_field_names_of_a_record_are_not_untrusted_text() -> None:
    assert {"scheduler_hash", "per_frame", "verdict_before", "drift"} - field_names() == {"scheduler_hash"}


def test_the_traceback_of_an_internal_error_is_redacted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise ValueError("with ghs_abcdefghijklmnopqrst")

    monkeypatch.setattr("spacediff.doctor.examine", lambda: broken(0))
    assert main(["doctor"]) == 70
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "ValueError: with [redacted]" in printed
    assert "ghs_abc" not in printed


def test_printed_text_is_redacted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "ghs_abcdefghijklmnopqrst"
    assert main(["init", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "[redacted]/quickstart.toml" in printed
    assert "ghs_abc" not in printed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"C:\Users\Ada\clip.mp4", r"~\clip.mp4"),
        ("C:/Users/Ada/clip.mp4", "~/clip.mp4"),
        (r"'c:\\users\\ada\\clip.mp4'", r"'~\\clip.mp4'"),
        ("file:///C%3A%2FUsers%2FAda%2Fx", "file:///~%2Fx"),
        (r"C:\Users\Adam and D:\Users\Ada", r"C:\Users\Adam and D:\Users\Ada"),
    ],
)
def test_a_home_folder_of_windows_is_removed(text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from spacediff.privacy import redaction

    monkeypatch.setenv("HOME", r"C:\Users\Ada")
    monkeypatch.setattr(redaction, "_user", lambda: "")
    redaction._rules.cache_clear()
    try:
        assert redact(text) == expected
    finally:
        redaction._rules.cache_clear()

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from harness.redaction import redact
print(json.dumps(redact(json.load(sys.stdin))))
"""
HOST_PROGRAM = """
import json, platform, sys
platform.node = lambda: sys.argv[1]
from harness.redaction import redact
print(json.dumps(redact(json.load(sys.stdin))))
"""
HOME = {"HOME": "/home/ada", "USER": "ada", "LOGNAME": "ada", "HF_TOKEN": "planted-secret-value"}


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
        ("Canada is not a user; hf_short neither", "Canada is not a user; hf_short neither"),
    ],
)
def test_secrets_and_names_are_taken_out(text: str, expected: str) -> None:
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
def test_the_machines_name_is_taken_out_where_it_is_one(host: str, text: str, expected: str) -> None:
    assert redacted(text, host) == expected

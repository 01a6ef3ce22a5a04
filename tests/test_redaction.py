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
HOME = {"HOME": "/home/ada", "USER": "ada", "LOGNAME": "ada", "HF_TOKEN": "planted-secret-value"}


def redacted(text: str) -> str:
    import json

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
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

"""What a Space's probe may answer: a hostile server gives anything but a recording, and the audit goes on."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spacediff.record import FactKind, NoiseRecord, Stage, TraceRecord, TransplantRecord, fact
from spacediff.recordings import RecordedCall
from spacediff.settings import Origin
from spacediff.sources.space import conversation, probe
from spacediff.sources.space.messages import Answered
from spacediff.sources.space.probe import Recorded, checked, observed_machine, observed_settings, recorded_by_probe

CALL: dict[str, Any] = {
    "number": 1,
    "where": "app.py:7",
    "outcome": "finished",
    "prompt": "a lemon",
    "settings": {"scheduler.class": "DDIMScheduler", "call.negative_prompt": "blurry"},
    "machine": {"torch": "2.13.0\x1b[31m<b>"},
    "trace": {"embeddings": ["abc"], "latents": "../../elsewhere.safetensors"},
}


def recording(*calls: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"schema_version": 1, "spacediff": "1.0", "script": "app.py", "exit_code": 0, "calls": calls, **changed}


def packed(content: bytes, name: str = "recording.json") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def answer(content: bytes) -> bytes:
    return json.dumps({"data": [{"recording": base64.b64encode(content).decode()}]}).encode()


def answer_of(found: dict[str, Any]) -> bytes:
    return answer(packed(json.dumps(found).encode()))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        status, content, endless, pause = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)
            while endless:
                self.wfile.write(b" " * 2**16)
                time.sleep(pause)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def asked(
    server: Any, folder: Path, content: bytes, *, status: int = 200, endless: bool = False, pause: float = 0
) -> Recorded:
    server.answer = status, content, endless, pause
    address = f"http://127.0.0.1:{server.server_port}/"
    client = SimpleNamespace(src_prefixed=address, session_hash="mine", headers={}, cookies={})
    found = recorded_by_probe(client, folder, time.monotonic() + 30)
    assert list(folder.iterdir()) == []
    return found


def test_a_recording_is_read(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    found = asked(server, tmp_path, answer_of(recording(CALL)))
    assert found.warnings == ()
    assert found.call is not None
    settings = observed_settings(found.call)
    assert settings["scheduler.class"].value == "DDIMScheduler"
    assert settings["scheduler.class"].origin is Origin.OBSERVED
    assert observed_machine(found.call) == {"torch": "2.13.0 [31m"}
    assert found.call.trace is not None
    assert found.call.trace.embeddings == ["abc"]
    assert found.call.trace.latents == "", "a file of ours"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "the answer holds no recording"),
        (b"[" * 100_000, "the answer holds no recording"),
        (b'{"data": [{"recording": "%%%"}]}', "the answer holds no recording"),
        (b'{"data": [{"recording": 7}]}', "the answer holds no recording"),
        (answer(b""), "no pipeline call of this session"),
        (answer(b"no ZIP"), "the recording"),
        (answer(packed(b"{}", "other.json")), "the recording is no recording of spacediff"),
        (answer_of(recording(CALL, schema_version=99)), "is of version 99 of the format"),
        (answer_of(recording(CALL | {"trace": {"steps": 7}})), "is damaged: calls.0.trace.steps"),
        (answer(packed(b" " * (64 * 2**20 + 1))), "is larger than 64 MiB"),
        (answer_of(recording(CALL | {"outcome": "ValueError"})), "no pipeline call that finished"),
    ],
    ids=range(11),
)
def test_anything_else_is_a_warning(server: ThreadingHTTPServer, tmp_path: Path, content: bytes, reason: str) -> None:
    found = asked(server, tmp_path, content)
    assert found.call is None
    assert reason in found.warnings[-1]
    assert str(tmp_path) not in found.warnings[-1]


def test_a_refusal_is_a_warning(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    assert "HTTP 500" in asked(server, tmp_path, b"", status=500).warnings[0]


def test_an_answer_without_an_end_is_given_up(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "larger than the limit" in asked(server, tmp_path, b"", endless=True).warnings[0]
    monkeypatch.setattr(probe, "_LONGEST", 0.2)
    assert "deadline" in asked(server, tmp_path, b"", endless=True, pause=0.05).warnings[0]


def test_only_settings_of_the_pipeline_are_taken(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    forged = {"space.id": "other/space", "output.fps": 99, "machine.torch": "1", "placement": "cuda", "rng.seed": 7}
    found = asked(server, tmp_path, answer_of(recording(CALL | {"settings": forged})))
    assert set(observed_settings(found.call)) == {"placement", "rng.seed"}


def test_a_space_cannot_say_what_only_an_audit_knows(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    claimed = fact(FactKind.TEXT, text="seed 7")
    noise = NoiseRecord(digest="n", mean=0.0, std=1.0, low=-3.0, high=3.0, shape=[1, 2], dtype="float32", device="cpu",
                        drawn=True, origin=claimed)  # fmt: skip
    stages = [TransplantRecord(stage=Stage.TEXT, equal=True, distance=0.0)]
    forged = TraceRecord(noise=noise, transplant=stages, own_errors=[0.0]).model_dump(mode="json")
    found = asked(server, tmp_path, answer_of(recording(CALL | {"trace": forged}))).call
    assert found
    assert found.trace
    assert found.trace.noise
    assert (found.trace.transplant, found.trace.own_errors) == ([], [])
    assert found.trace.noise.origin == fact(FactKind.NOISE_OF_NO_USUAL_SEED)


def test_how_much_a_space_says_of_settings_is_bounded(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    many = {f"call.a{number}": 1 for number in range(2000)} | {"rng.note": "x" * 20_000}
    found = asked(server, tmp_path, answer_of(recording(CALL | {"settings": many})))
    assert len(observed_settings(found.call)) == 1000
    assert "too many or too long" in found.warnings[-1]


def test_numbers_that_are_not_finite_reach_the_audit(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    content = json.dumps(recording(CALL | {"seconds": math.inf, "settings": {"call.eta": math.nan}}))
    recorded, warnings = conversation._recorded(asked(server, tmp_path, answer(packed(content.encode()))))
    sent = Answered(hosted={}, inputs={}, outputs_listed="", probed=True, recorded=recorded).model_dump_json()
    call = RecordedCall.model_validate(Answered.model_validate_json(sent).recorded)
    assert (call.seconds, warnings) == (math.inf, ())
    assert math.isnan(call.settings["call.eta"])


def test_a_recording_that_is_too_long_for_an_answer_is_a_warning(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    machine = {f"name{number}": "x" * 100_000 for number in range(30)}
    found = asked(server, tmp_path, answer_of(recording(CALL | {"machine": machine})))
    recorded, (warning,) = conversation._recorded(found)
    assert recorded is None
    assert "what the Space's probe recorded is not used: it has 3,0" in warning


def test_notes_about_a_private_prompt_lose_their_words(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    found = asked(server, tmp_path, answer_of(recording(CALL, notes=["call 1: its settings: ValueError: a lime"])))
    assert "a lime" in checked(found, "a lemon", private=False).warnings[0]
    assert checked(found, "a lemon", private=True).warnings == ("a note of the Space's probe about call 1",)
    without = Recorded(warnings=("what it recorded is not used: a lime",))
    assert checked(without, "a lime", private=True).warnings == ("what it recorded is not used",)


def test_the_only_prompt_of_a_list_is_the_prompt(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    found = asked(server, tmp_path, answer_of(recording(CALL | {"prompt": ["a lemon"]})))
    assert checked(found, "a lemon", private=False).warnings == ()


def test_of_a_private_prompt_no_text_is_kept(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    found = asked(server, tmp_path, answer_of(recording(CALL)))
    private = checked(found, "a lime", private=True)
    assert private.warnings == ("the Space gave its pipeline another prompt than it was sent",)
    assert private.call is not None
    assert private.call.prompt is None
    assert set(observed_settings(private.call)) == {"scheduler.class"}
    assert checked(found, "a lemon", private=False).warnings == ()


def test_no_name_of_a_setting_carries_control_characters() -> None:
    call = RecordedCall.model_validate({**CALL, "settings": {"call.a\x1b[2J": 1, "lora.löwe.scale": 0.5}})
    assert list(observed_settings(call)) == ["lora.löwe.scale"]

"""What an audit and its worker process say to each other survives the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spacediff.record import Role, RunRecord, StepRecord, TraceRecord
from spacediff.run import Prompt, Run, Stop
from spacediff.settings import Origin, Setting, Settings
from spacediff.worker.messages import (
    Begin,
    Check,
    Done,
    Failed,
    Memory,
    PlainRun,
    Prepare,
    Produce,
    Produced,
    Ready,
    Status,
    Step,
    answer_from,
    line_of,
    request_from,
)

SETTINGS = Settings(
    {
        "call.guidance_scale": Setting(6.5, Origin.DECLARED, "run.py:3"),
        "call.sizes": Setting([1, 2.5, "x", True], Origin.READ),
        "scheduler.unknown": Setting(None, Origin.UNKNOWN, ""),
    }
)
RUN = Run("a", Role.VARIANT, Prompt("p", "a lemon\n\u2028 'quoted' 🍋", 2**63 - 1, private=True), "diffusers", SETTINGS,
          SETTINGS, {"deadline": 1.5, "inputs": {"a": [None]}}, 2, SETTINGS, "baseline", "reference",
          stop=Stop("target", ("one", "two"), 2, 0.3), is_target=True)  # fmt: skip


@pytest.mark.parametrize("fed_by", [SETTINGS, None])
def test_a_run_arrives_as_it_was_sent(fed_by: Settings | None) -> None:
    run = replace(RUN, fed_by=fed_by)
    request = request_from(line_of(Produce(run=PlainRun.of(run), key="k", folder="/f")))
    assert isinstance(request, Produce)
    arrived = request.run.run()
    assert arrived == run
    assert {path: arrived.settings[path] for path in arrived.settings} == dict(SETTINGS)
    assert arrived.key({"torch": "2"}) == run.key({"torch": "2"})


@pytest.mark.parametrize(
    "message",
    [Begin(reuse=True, keep_latents=False, ends="/e"), Prepare(run=PlainRun.of(RUN)), Check(run=PlainRun.of(RUN))],
)
def test_a_request_is_one_line(message: Begin | Prepare | Check) -> None:
    line = line_of(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert request_from(line) == message


@pytest.mark.parametrize(
    "message",
    [
        Ready(protocol=1, environment={"torch": "2"}),
        Status(text="loading\nthe checkpoint"),
        Step(done=1, total=50),
        Done(),
        Failed(code="out-of-memory", message="m", hint="h", sound=False),
    ],
)
def test_an_answer_is_one_line(message: Ready | Status | Step | Done | Failed) -> None:
    line = line_of(message)
    assert line.count(b"\n") == 1
    assert answer_from(line) == message


def test_a_record_arrives_as_it_was_sent() -> None:
    step = StepRecord(timestep=999.0, guidance=None, digest="d", mean=0.1 + 0.2, std=1e-320, norm=1e300, nonfinite=3)
    record = RunRecord(key="k", name="a", role=Role.VARIANT, prompt="p", source="diffusers", measured=True,
                       trace=TraceRecord(steps=[step]))  # fmt: skip
    sent = Produced(record=record.model_dump(mode="json"), memory=Memory(device=1, host=2**40))
    arrived = answer_from(line_of(sent))
    assert isinstance(arrived, Produced)
    assert arrived.memory == sent.memory
    assert RunRecord.model_validate(arrived.record) == record


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"\xff", b'{"kind": "other"}', b'{"kind": "step", "done": 1}', b'{"kind": "done", "x": 1}'],
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        answer_from(line)

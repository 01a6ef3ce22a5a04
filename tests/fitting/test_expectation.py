"""What an audit is expected to take, computed from its plan and from a generation that was timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.errors import MachineTooSmall
from spacediff.fitting import expectation as module
from spacediff.fitting import refusal
from spacediff.fitting.assessment import Assessment
from spacediff.fitting.disk import MOST_BYTES_OF_ENDS, OnDisk, bytes_of_ends, certainly_kept, on_disk
from spacediff.fitting.downloads import Download
from spacediff.fitting.expectation import Measured, Todo, expectation, measured_before, measured_by
from spacediff.fitting.need import Memory
from spacediff.fitting.refusal import refuse_what_cannot_begin
from spacediff.observer.latents_file import write_latents
from spacediff.plan import Explanation
from spacediff.record import FactKind, Role, RunRecord, StageRecord, StepRecord, TraceRecord, fact, record_settings
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.local.generate import LocalSource
from spacediff.wording import sentence
from spacediff.worker.records import measured as made
from support.listeners import RememberingListener

PROMPT = Prompt("p", "a lemon", 42)
GIB = 2**30
STEP = StepRecord(timestep=1.0, guidance=6.0, digest="", mean=0, std=1, norm=1, nonfinite=0)


def run(name: str = "a", **tables: Any) -> Run:
    return Run(name, Role.VARIANT, PROMPT, "diffusers", Settings.of({"placement": "cpu", **tables}, Origin.DECLARED))


def steps(count: int) -> dict[str, Any]:
    return {"call": {"num_inference_steps": count}}


def search(budget: float, steps: int) -> Explanation:
    target = Settings.of({"call": {"num_inference_steps": steps}}, Origin.DECLARED)
    return Explanation("a", "b", Settings(), target, budget)


def timed(*, steps: int = 4, denoising: float = 8.0, decoding: float = 3.0, **more: Any) -> RunRecord:
    stages = [
        StageRecord(name="text", seconds=1.0, peak_bytes=GIB),
        StageRecord(name="denoising", seconds=denoising, peak_bytes=2 * GIB),
        StageRecord(name="decoding", seconds=decoding, peak_bytes=5 * GIB),
    ]
    trace = TraceRecord(steps=[STEP] * steps, stages=stages)
    known: dict[str, Any] = {"key": "k", "name": "a", "role": Role.VARIANT, "prompt": "p", "source": "diffusers"}
    settings = record_settings(Settings.of({"placement": "cpu"}, Origin.DEFAULT))
    return RunRecord(**{**known, "measured": True, "settings": settings, "trace": trace, **more})


def test_a_generation_that_was_timed_says_what_others_with_more_steps_take(tmp_path: Path) -> None:
    measured = measured_by(timed())
    assert measured == Measured(step=2.0, rest=4.0, steps=4, device="cpu", peak=5 * GIB)
    todo = Todo([run("a"), run("b", **steps(50))], search(3, 10), tmp_path)
    found = expectation(todo, OnDisk(10, ends=5), measured=measured)
    assert found.values["seconds"] == (4 + 4 * 2) + (4 + 50 * 2)
    assert found.values["search_seconds"] == 3 * (4 + 10 * 2)
    assert (found.values["memory"], found.values["least"], found.values["disk"]) == (5 * GIB, False, 5 * 10 + 5)
    said = sentence(found)
    assert said.startswith("expected: 2 generations and at most 3 more in search of the cause; about 1 min 56 s")
    assert "3 min 8 s with the search, at 2.00 s for a step; about 5.00 GiB of this machine's memory" in said


def test_what_a_script_does_before_its_call_counts_for_every_run_or_once_where_its_call_is_repeated(
    tmp_path: Path,
) -> None:
    measured = measured_by(timed(source="script", seconds=40.0))
    assert measured == Measured(step=2.0, rest=4.0, steps=4, device="cpu", peak=5 * GIB, start=28.0)
    again = replace(run("rerun"), repeat=1)
    todo = Todo([run("a"), run("b"), again], search(3, 4), tmp_path)
    found = expectation(todo, OnDisk(0, ends=0), measured=measured)
    assert (found.values["seconds"], found.values["search_seconds"]) == (120.0, 120.0)
    calls, check, starts = 6 * 12, 12, 2 * 28  # the re-run is a process of its own
    assert found.values["repeated_seconds"] == calls + check + starts
    assert ", about 2 min 20 s where the script's call can be repeated in one process, at" in sentence(found)


def test_a_script_whose_start_is_short_beside_its_call_is_not_said_to_gain_by_repeats(tmp_path: Path) -> None:
    measured = measured_by(timed(source="script", seconds=13.0))
    assert measured is not None
    assert measured.start == 1.0
    found = expectation(Todo([run("a"), run("b")], None, tmp_path), OnDisk(0, ends=0), measured=measured)
    assert (found.values["seconds"], found.values["repeated_seconds"]) == (26.0, None)
    assert "repeated" not in sentence(found)
    here = expectation(Todo([run("a")], search(9, 4), tmp_path), OnDisk(0, ends=0), measured=measured_by(timed()))
    assert here.values["repeated_seconds"] is None, "no script"


def test_the_control_with_deterministic_algorithms_is_expected_too(tmp_path: Path) -> None:
    todo = Todo([run("a")], search(3, 4), tmp_path, control=[run("c"), run("d")])
    found = expectation(todo, OnDisk(10, ends=5), measured=measured_by(timed()))
    assert (found.values["control"], found.values["seconds"], found.values["disk"]) == (2, 3 * 12.0, 6 * 10 + 5)
    assert sentence(found).startswith(
        "expected: 1 generation, at most 2 more for the control with deterministic algorithms and at most 3 more in "
        "search of the cause; about 36.0 s"
    )


def test_a_real_generation_is_measured() -> None:
    small = {"num_inference_steps": 2, "num_frames": 5, "height": 32, "width": 48}
    one = run(model={"id": "builtin:tiny-cogvideox-random"}, call=small)
    produced = LocalSource().generate(one.settings, "a lemon", 42, RememberingListener())
    measured = measured_by(made(one, "k", produced, clip=None, trace=produced.trace))  # type: ignore[arg-type] # not kept
    assert measured is not None
    assert (measured.steps, measured.device) == (2, "cpu")
    assert 0 < 2 * measured.step + measured.rest <= produced.seconds
    assert measured.peak > 2**20


@pytest.mark.parametrize(
    "record",
    [
        timed(measured=False),
        timed(source="space"),
        timed(fed_by="b"),
        timed(trace=None),
        timed(steps=0),
        timed(trace=TraceRecord(steps=[STEP], stages=[])),
        timed(
            trace=TraceRecord(
                steps=[STEP], stages=[StageRecord(name="denoising", seconds=1, peak_bytes=1, taken_over=True)]
            )
        ),
    ],
    ids=["failed", "hosted", "fed", "unobserved", "no steps", "no stages", "taken over"],
)
def test_what_is_no_whole_generation_says_nothing_about_the_others(record: RunRecord) -> None:
    assert measured_by(record) is None


def test_an_earlier_audit_counts_where_machine_and_sizes_are_the_same() -> None:
    here = {"device": "cpu", "processor": "x", "threads": "2"}
    large = {"placement": "cpu", "call": {"height": 480}, "model": {"id": "m"}}
    earlier = timed(settings=record_settings(Settings.of(large, Origin.DECLARED)))

    def known(now: Mapping[str, str] = here, **tables: Any) -> bool:
        return measured_before([earlier], [run(**{**large, **tables})], here, now) is not None

    assert known()
    assert known(call={"height": 480, "guidance_scale": 3.0})  # takes as long
    assert not known(call={"height": 720})
    assert not known(model={"id": "other"})
    assert not known(placement="cuda")
    assert not known({**here, "threads": "8"})
    assert measured_before([], [run()], here, here) is None


def test_before_any_generation_the_time_is_said_to_be_unknown(tmp_path: Path) -> None:
    found = expectation(Todo([run()], None, tmp_path), OnDisk(), memory=Memory("cuda:0", 19 * GIB, whole=False))
    assert (found.values["seconds"], found.values["disk"]) == (None, None)
    assert sentence(found).startswith(
        "expected: 1 generation; the time is known after the first; at least 19.00 GiB on cuda:0; an unknown part of"
    )
    unknown = expectation(Todo([run()], None, tmp_path), OnDisk())
    assert "memory unknown before the first" in sentence(unknown)


def test_the_disk_holds_clips_latents_and_kept_ends() -> None:
    known = on_disk(latents=1000, steps=49, clip=(2, 10, 10))
    of_steps = 50 * 1000 * 2
    assert known == OnDisk(of_steps + 750, ends=4 * of_steps)
    assert (known.most(3), known.most(0)) == (3 * known.run + known.ends, 0)
    assert on_disk(0, 50, ()) == OnDisk()
    assert bytes_of_ends(MOST_BYTES_OF_ENDS) == MOST_BYTES_OF_ENDS  # the newest end stays whatever its size


def test_an_audit_whose_latents_exceed_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run("a"), run("b"), run("a-script")]  # of the last, nothing is known
    todo = Todo(runs, search(99, 50), tmp_path)  # what the search takes at most is no reason
    needs = Assessment(disk=OnDisk(3 * GIB), kept={"a": GIB, "b": GIB, "done": GIB})
    monkeypatch.setattr(refusal, "free_bytes", lambda _: 2 * GIB - 1)
    with pytest.raises(
        MachineTooSmall, match=r"latents of 2 runs take at least 2\.00 GiB, and 2\.00 GiB are free"
    ) as refused:
        refuse_what_cannot_begin(todo, needs)
    assert "steps.keep_latents = false" in refused.value.hint
    monkeypatch.setattr(refusal, "free_bytes", lambda _: 2 * GIB)
    refuse_what_cannot_begin(todo, needs)


def test_an_audit_whose_weights_exceed_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = (
        Download("org/large", frozenset({"a"}), {"1": 2 * GIB, "2": GIB}),
        Download("org/small", frozenset({"b"}), {"2": GIB, "3": GIB}),
        Download("org/other", frozenset({"done"}), {"4": 9 * GIB}),
        Download("org/unknown", frozenset({"a", "b"}), known=False),
    )
    needs = Assessment(downloads=downloads)
    monkeypatch.setattr(refusal, "downloads_to", lambda: tmp_path / "hub")
    monkeypatch.setattr(refusal, "free_bytes", lambda place: 4 * GIB - 1 if place.name == "hub" else 2**50)
    with pytest.raises(
        MachineTooSmall,
        match=r"weights of org/large and org/small: their download needs 4\.00 GiB, and 4\.00 GiB are free in .*hub",
    ) as refused:
        refuse_what_cannot_begin(Todo([run("a"), run("b")], None, tmp_path), needs)
    assert "HF_HOME" in refused.value.hint
    refuse_what_cannot_begin(Todo([run("a")], None, tmp_path), needs)


def test_only_latents_that_are_certainly_kept_refuse_an_audit() -> None:
    made = run(call={"num_inference_steps": 49})
    assert certainly_kept(made, 1000) == 50 * 1000
    assert certainly_kept(replace(made, fed_from="baseline"), 1000) == 0
    assert certainly_kept(run(call={"num_inference_steps": 49, "strength": 0.1}), 1000) == 0
    assert certainly_kept(run(), 1000) == 0


def test_coded_noise_takes_no_less_than_what_is_certain(tmp_path: Path) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        noise = [torch.randn(4096, dtype=dtype) for _ in range(4)]
        write_latents(noise, tmp_path / "latents.zip")
        assert certainly_kept(run(call={"num_inference_steps": 3}), 4096) < (tmp_path / "latents.zip").stat().st_size


def test_an_audit_goes_on_with_the_runs_that_fit_into_the_memory(tmp_path: Path) -> None:
    short: dict[str, Any] = {"certain": True, "device": "cuda:0", "need": 30 * GIB, "free": 24 * GIB}
    short |= {"changes": [], "tested": []}
    needs = Assessment((fact(FactKind.MEMORY_SHORT, runs=["a", "b"], **short),))
    with pytest.raises(MachineTooSmall, match=r"weights alone need 30\.00 GiB on cuda:0"):
        refuse_what_cannot_begin(Todo([run("a"), run("b")], None, tmp_path), needs)
    refuse_what_cannot_begin(Todo([run("a"), run("c")], None, tmp_path), needs)
    refuse_what_cannot_begin(Todo([], None, tmp_path), needs)
    tight = Assessment((fact(FactKind.MEMORY_SHORT, runs=["a"], **{**short, "certain": False}),))
    refuse_what_cannot_begin(Todo([run("a")], None, tmp_path), tight)


def test_the_free_space_is_that_of_the_audit_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda folder: 7 if folder == tmp_path else 0)
    assert expectation(Todo([run()], None, tmp_path), OnDisk()).values["free"] == 7

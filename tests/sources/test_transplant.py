"""Transplant: a run is fed another run's tensors stage by stage, and only the stages that differ are named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.errors import NotComparable, RecordingNotReadable
from spacediff.record import Stage, TransplantRecord
from spacediff.recordings import write_recording
from spacediff.recordings.assembling import assembled
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.transplant import Donor
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision
from spacediff.watch.recorder import Recorder
from spacediff.watch.writing import Writer
from spacediff.wording import transplant_text
from support.listeners import RememberingListener

shim_torchvision()

CALL = {"num_inference_steps": 4, "num_frames": 5}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with tensors, of a call like that of a script."""
    from diffusers import CogVideoXPipeline

    folder = tmp_path_factory.mktemp("theirs")
    recorder = Recorder(Writer(folder), json.dumps({"tensors": [1, 3]}))
    recorder._is_anothers = lambda: False  # type: ignore[method-assign]
    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    recorder._watched(type(pipe).__call__)(pipe, "a lemon", generator=torch.Generator().manual_seed(42), **CALL)
    write_recording(assembled(folder, folder / "run.py", exit_code=0, private=False), folder, folder / "theirs.zip")
    return folder / "theirs.zip"


def mine(file: Path, prompt: str = "a lemon", **tables: Any) -> Produced:
    values = {"model": {"id": RANDOM.id, "dtype": "float32"}, "call": CALL, "placement": "cpu"} | tables
    declared = Settings.of(values, Origin.DECLARED)
    return LocalSource().generate(declared, prompt, 42, RememberingListener(), donor={"file": str(file)})


def stages(produced: Produced) -> dict[tuple[Stage, int | None, int | None], TransplantRecord]:
    assert produced.trace is not None
    return {(each.stage, each.first, each.last): each for each in produced.trace.transplant}


def test_equal_sides_differ_in_no_stage(theirs: Path) -> None:
    found = stages(mine(theirs))
    assert list(found) == [
        (Stage.TEXT, None, None), (Stage.NOISE, None, None), (Stage.STEP, 1, 1), (Stage.STEP, 2, 3),
        (Stage.STEP, 4, 4), (Stage.DECODING, None, None),
    ]  # fmt: skip
    assert all(each.equal and each.distance == 0 for each in found.values())
    assert "None of these stages makes a difference." in transplant_text(list(found.values()))


def differing(produced: Produced) -> set[Stage]:
    return {each.stage for each in stages(produced).values() if not each.equal}


def test_another_prompt_differs_in_the_embeddings_alone(theirs: Path) -> None:
    produced = mine(theirs, "a lime on a table")
    assert differing(produced) == {Stage.TEXT}
    text = transplant_text(list(stages(produced).values()))
    assert "The difference is made in: text embeddings." in text
    assert "initial noise: identical; step 1: identical; steps 2 to 3: identical" in text


def test_other_noise_differs_in_the_noise_alone(theirs: Path) -> None:
    assert differing(mine(theirs, rng={"seed": 43})) == {Stage.NOISE}


def test_another_scheduler_differs_in_the_steps_alone(theirs: Path) -> None:
    produced = mine(theirs, scheduler={"class": "CogVideoXDPMScheduler"})
    assert differing(produced) == {Stage.STEP}
    assert "identical" in transplant_text(list(stages(produced).values())).rpartition("decoding: ")[2]


def test_another_decoder_differs_in_the_decoding_alone(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers import AutoencoderKLCogVideoX

    decode = AutoencoderKLCogVideoX.decode

    def brighter(vae: Any, *args: Any, **kwargs: Any) -> Any:
        result = decode(vae, *args, **kwargs)
        result.sample = result.sample + 8 / 127.5
        return result

    monkeypatch.setattr(AutoencoderKLCogVideoX, "decode", brighter)
    produced = mine(theirs)
    assert differing(produced) == {Stage.DECODING}
    decoded = stages(produced)[Stage.DECODING, None, None]
    assert decoded.distance is not None
    assert 7 <= decoded.distance <= 9
    assert f"decoding: different, by at most {decoded.distance:.0f} of 255 levels." in transplant_text([decoded])


def test_stages_that_were_not_compared_are_named() -> None:
    seen = [TransplantRecord(stage=Stage.TEXT, equal=True, distance=0), step_of(1, 2)]
    assert transplant_text(seen, 4) == (
        "The stages listed were given the recording's tensors. None of these stages makes a difference. "
        "In order, text embeddings: identical; steps 1 to 2: identical. "
        "Not compared: initial noise, steps 3 to 4, decoding."
    )


def step_of(first: int, last: int) -> TransplantRecord:
    return TransplantRecord(stage=Stage.STEP, first=first, last=last, equal=True, distance=0)


def written_with(file: Path, other: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write the recording with another description of its call."""
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(other, "w") as changed:
        recording = json.loads(archive.read("recording.json"))
        change(recording["calls"][0])
        for name in archive.namelist():
            changed.writestr(name, json.dumps(recording) if name == "recording.json" else archive.read(name))
    return other


def test_what_cannot_be_fed_is_refused(theirs: Path, tmp_path: Path) -> None:
    with pytest.raises(NotComparable, match="the run has 3 steps, but 4 in the recording"):
        mine(theirs, call={**CALL, "num_inference_steps": 3})
    with pytest.raises(NotComparable, match="a tensor has shape"):
        mine(theirs, call={**CALL, "height": 32, "width": 32})
    with pytest.raises(NotComparable, match="other text embeddings"):
        mine(theirs, call={**CALL, "guidance_scale": 1.0})
    with pytest.raises(RecordingNotReadable, match=r"call 1 of less\.zip has no noise"):
        mine(written_with(theirs, tmp_path / "less.zip", lambda call: call["tensors"].remove("noise")))
    with pytest.raises(RecordingNotReadable, match="there is no file"):
        mine(tmp_path / "none.zip")


def test_a_difference_before_the_first_step_that_cannot_be_fed_is_not_put_down_to_it(
    theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    donor = Donor.read({"file": str(theirs)})

    def fed(**trace: Any) -> Produced:
        given = replace(donor, trace=donor.trace.model_copy(update=trace))
        with monkeypatch.context() as patch:
            patch.setattr(Donor, "read", lambda _request: given)
            return mine(theirs)

    with pytest.raises(NotComparable, match="the encoded input pictures differ"):
        fed(inputs=["another"])
    with pytest.raises(NotComparable, match=r"no method in which the recording's embeddings\.2 could be fed"):
        fed(embeddings=[*donor.trace.embeddings, "of a second text encoder"])


@pytest.mark.parametrize(("name", "said"), [("text", "the text embeddings"), ("noise", "the initial noise")])
def test_a_recording_that_does_not_show_where_the_steps_start_is_refused(
    theirs: Path, tmp_path: Path, name: str, said: str
) -> None:
    blind = written_with(theirs, tmp_path / "blind.zip", lambda call: call["trace"].update(unobserved=[name]))
    with pytest.raises(NotComparable, match=f"does not show {said}, which cannot be fed"):
        mine(blind)

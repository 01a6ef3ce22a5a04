"""The file of a recording: what is in it, what is left out, and what is refused."""

from __future__ import annotations

import json
import random
import re
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file

from spacediff import reference_runs
from spacediff.api import compare_videos, record_script
from spacediff.cli.commands import main
from spacediff.clip import LongClip
from spacediff.errors import (
    Exit,
    FileExists,
    FileNotAccessible,
    InvalidArgument,
    RecordingNotReadable,
    RecordingWithoutFrames,
)
from spacediff.observer.tensors import digest
from spacediff.plan import plan_scenario
from spacediff.record import FactKind, Role, Stage, TransplantRecord, Verdict, fact, read_record
from spacediff.recordings import Recording, chosen, is_recording, read_recording, write_recording
from spacediff.recordings import archive as archive_module
from spacediff.recordings.archive import make_writable
from spacediff.recordings.assembling import assembled
from spacediff.recordings.confidential import without_secrets
from spacediff.recordings.tensors import recorded_tensors
from spacediff.scenario.scenario import parse_scenario
from spacediff.sources.recording import take_recorded
from spacediff.wording import trace_text

FRAMES = np.random.default_rng(0).integers(0, 255, (5, 32, 48, 3), dtype=np.uint8)
STEP = {"timestep": 999.0, "guidance": 6.0, "digest": "a", "mean": 0.0, "std": 1.0, "norm": 2.0, "nonfinite": 0}
NOISE = {"digest": "n", "mean": 0.0, "std": 1.0, "low": -3.0, "high": 3.0, "shape": [1, 2], "dtype": "float32",
         "device": "cpu", "drawn": True}  # fmt: skip
HIDDEN = "a lemon that nobody may know of"


def left_by_a_process(
    folder: Path, *, calls: int = 1, digest: str = "a", frames: Any = FRAMES, **settings: Any
) -> Path:
    """Write what the process of a script leaves."""
    (folder / "written").mkdir(parents=True)
    (folder / "process.json").write_text(json.dumps({"python": "3.11.7", "argv": ["--prompt", HIDDEN]}))
    written = {
        "name": "lemon.mp4",
        "call": 1,
        "by": "export_to_video",
        "sha256": "f",
        "bytes": 9,
        "arguments": {"fps": 8},
    }
    (folder / "written" / "1.json").write_text(json.dumps(written))
    for number in range(1, calls + 1):
        place = folder / "calls" / str(number)
        place.mkdir(parents=True)
        np.save(place / "frames.npy", frames)
        call = {
            "number": number,
            "where": {"file": "/home/me/run.py", "line": 3 + number},
            "outcome": "finished",
            "messages": [f"it was cut off: {HIDDEN}"],
            "prompt": HIDDEN,
            "settings": {"call": {"edit_instruction": [HIDDEN], "steps": 1}, "rng": {"seed": 42}, **settings},
            "observation": {
                "embeddings": ["e"],
                "inputs": ["p"],
                "noise": NOISE,
                "steps": [STEP | {"digest": digest, "sketch": [1.0 if digest == "a" else 2.0] + [0.0] * 127}],
                "decoded": digest,
            },
            "clip": {"medium": "video", "clips": 1, "audio": False, "censored": []},
            "machine": {"torch": "2.13.0", "instructions": "AVX2"},
            "seconds": 1.5,
        }  # fmt: skip
        (place / "call.json").write_text(json.dumps(call))
    return folder


def recorded(folder: Path, name: str = "mine.zip", *, private: bool = False, **given: Any) -> Path:
    folder.mkdir(exist_ok=True)
    left = left_by_a_process(folder / f"{name}.left", **given)
    script = folder / "run.py"
    script.write_text("print()")
    write_recording(assembled(left, script, exit_code=0, private=private), left, folder / name)
    return folder / name


def test_a_long_recorded_clip_stays_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = recorded(tmp_path)
    held = take_recorded(file, None, tmp_path).clip
    assert not (tmp_path / "recorded.mkv").exists()
    monkeypatch.setattr("spacediff.clip.decoding.HELD_BYTES", FRAMES.nbytes - 1)
    clip = take_recorded(file, None, tmp_path).clip
    assert isinstance(clip, LongClip)
    assert np.array_equal(clip.frames, FRAMES)
    assert (clip.digest, clip.fps, clip.medium) == (held.digest, held.fps, held.medium)
    assert (tmp_path / "recorded.mkv").is_file()


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    (call,) = read_recording(file).calls
    assert (call.where, call.outcome, call.frames, call.fps) == ("run.py:4", "finished", 5, 8)
    assert call.settings["rng.seed"] == 42
    produced = take_recorded(file, None, tmp_path)
    assert np.array_equal(produced.clip.frames, FRAMES)
    assert float(produced.clip.fps) == 8
    assert produced.settings["machine.torch"].value == "2.13.0"
    assert produced.trace is not None
    assert [step.digest for step in produced.trace.steps] == ["a"]


def test_a_private_recording_has_no_texts_pictures_or_names(tmp_path: Path) -> None:
    file = recorded(tmp_path, private=True)
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["recording.json"]
        text = archive.read("recording.json").decode()
    for hidden in (HIDDEN, "lemon.mp4", "run.py", "cut off", "/home/me"):
        assert hidden not in text
    (call,) = read_recording(file).calls
    assert call.trace
    assert (call.trace.inputs, call.trace.unobserved, call.digest != "") == ([], ["inputs"], True)
    with pytest.raises(RecordingWithoutFrames, match="has no clip: the recording is private"):
        take_recorded(file, None, tmp_path)


def test_a_private_recording_has_no_words_of_the_user_in_paths_and_variables(tmp_path: Path) -> None:
    left = left_by_a_process(
        tmp_path / "left",
        call={"prompt_weights": {"a secret lemon": 0.4, "secret": 1}, "guidance_scale": 6.0},
        lora={"my secret client": {"active": {"transformer": 0.5}, "fused": False}},
    )
    place = left / "calls" / "1" / "call.json"
    machine = {"torch": "2.13.0", "MKL_LOG": "/mnt/secret", "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "secret": "x"}
    place.write_text(json.dumps(json.loads(place.read_text()) | {"machine": machine}))
    found = assembled(left, tmp_path / "run.py", exit_code=0, private=True)
    assert "secret" not in found.model_dump_json()
    (call,) = found.calls
    assert call.withheld == ("call.prompt", "call.prompt_weights", "lora", "machine"), "tables, where names are words"
    assert call.settings["call.guidance_scale"] == 6.0
    assert (call.settings["lora.1.active.transformer"], call.settings["lora.1.fused"]) == (0.5, False)
    assert call.machine == {"torch": "2.13.0", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def test_values_of_options_that_name_a_secret_are_redacted() -> None:
    given = ["--key", "abc", "--access-key=xyz", "hf_token=zzz", "--keyframes", "3", "--monkey", "x", "token.py"]
    assert without_secrets(given) == [
        "--key", "[redacted]", "--access-key=[redacted]", "hf_token=[redacted]", "--keyframes", "3", "--monkey", "x",
        "token.py",
    ]  # fmt: skip


def test_what_is_too_large_to_be_read_is_written_without_sketches_or_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_by_a_process(tmp_path / "left", frames=FRAMES[:1])
    recording = assembled(left, tmp_path / "run.py", exit_code=0, private=False)
    size, file = len(recording.model_dump_json()), tmp_path / "mine.zip"
    monkeypatch.setattr(archive_module, "_MOST_BYTES", size)
    assert write_recording(recording, left, file) == read_recording(file) == recording
    monkeypatch.setattr(archive_module, "_MOST_BYTES", size - 1)
    written = write_recording(recording, left, file)
    assert read_recording(file) == written
    (trace,) = (call.trace for call in written.calls)
    assert trace
    assert [(step.digest, step.sketch) for step in trace.steps] == [("a", [])]
    assert [note.partition(",")[0] for note in written.notes] == ["the sketches of all calls are left out"]
    monkeypatch.setattr(archive_module, "_MOST_BYTES", len(written.model_dump_json()) - 1)
    written = write_recording(recording, left, file)
    assert [call.trace for call in written.calls] == [None]
    assert written.notes[-1].startswith("the steps of all calls are left out")


@pytest.mark.parametrize("numbers", [(1, 1), (0, 1)])
def test_numbers_of_calls_are_checked(numbers: tuple[int, ...], tmp_path: Path) -> None:
    file = recorded(tmp_path, calls=2)
    with zipfile.ZipFile(file) as archive:
        calls = json.loads(archive.read("recording.json"))["calls"]
    with pytest.raises(RecordingNotReadable, match="is damaged: calls"):
        read_recording(changed(file, calls=[each | {"number": n} for each, n in zip(calls, numbers, strict=True)]))


def test_two_recordings_are_compared_by_settings_and_steps(tmp_path: Path) -> None:
    theirs = recorded(tmp_path, "theirs.zip", scheduler={"class": "CogVideoXDPMScheduler"})
    mine = recorded(
        tmp_path, "mine.zip", digest="b", frames=FRAMES[::-1], scheduler={"class": "CogVideoXDDIMScheduler"}
    )
    result = compare_videos(theirs, mine, out=tmp_path / "audit")
    record = result.record
    (found,) = record.comparisons
    assert found.verdict is Verdict.DIFFERS
    groups = record.run("files", "candidate").setting_groups
    assert groups
    assert (groups.differing, groups.changed) == (["scheduler.class"], [])
    (trace,) = record.traces
    assert (trace.estimated, trace.distances) == (True, [0.0, 0.5])
    assert "differ by about 50 % after this step" in trace_text(trace)
    assert (trace.stage, trace.step) == (Stage.STEP, 1)
    page = result.report.read_text("utf-8")
    assert page.count("none of the usual seeds and ways of drawing") == 1
    (remark,) = record.overview("files").remarks
    assert (remark.fact.kind, remark.runs) == (FactKind.NOISE_OF_NO_USUAL_SEED, ["reference", "candidate"])


def test_equal_recordings_are_identical(tmp_path: Path) -> None:
    record = compare_videos(recorded(tmp_path, "a.zip"), recorded(tmp_path, "b.zip"), out=tmp_path / "audit").record
    assert [each.verdict for each in record.comparisons] == [Verdict.IDENTICAL]


def test_another_prompt_is_a_difference(tmp_path: Path) -> None:
    theirs, mine = recorded(tmp_path, "theirs.zip"), recorded(tmp_path, "mine.zip")
    with zipfile.ZipFile(mine) as archive:
        content, clip = json.loads(archive.read("recording.json")), archive.read("clips/1.mkv")
    content["calls"][0]["prompt"] = "a lime"
    with zipfile.ZipFile(mine, "w") as archive:
        archive.writestr("recording.json", json.dumps(content))
        archive.writestr("clips/1.mkv", clip)
    record = compare_videos(theirs, mine, out=tmp_path / "audit").record
    groups = record.run("files", "candidate").setting_groups
    assert groups
    assert groups.differing == ["call.prompt"]


def test_of_several_calls_one_is_named(tmp_path: Path) -> None:
    file = recorded(tmp_path, calls=2)
    with pytest.raises(RecordingNotReadable) as caught:
        compare_videos(file, file, out=tmp_path / "audit")
    assert caught.value.hint == "name one, such as mine.zip#2: 1 at run.py:4, 2 at run.py:5"
    named = file.with_name("mine.zip#2")
    record = compare_videos(named, named, out=tmp_path / "named").record
    assert [run.described for run in record.runs] == ["recording of run.py, call 2 at run.py:5"] * 2
    with pytest.raises(RecordingNotReadable, match=r"mine\.zip has no call 3"):
        chosen(read_recording(file), 3, "mine.zip")


def changed(file: Path, **values: Any) -> Path:
    with zipfile.ZipFile(file) as archive:
        content = json.loads(archive.read("recording.json")) | values
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("recording.json", json.dumps(content))
    return file


def test_what_is_damaged_or_of_another_version_is_refused(tmp_path: Path) -> None:
    for number, (values, message) in enumerate(
        [
            ({"schema_version": 2}, "is of version 2 of the format; this spacediff reads 1"),
            ({"calls": 3}, "is damaged: calls"),
        ]
    ):
        with pytest.raises(RecordingNotReadable, match=message):
            read_recording(changed(recorded(tmp_path / str(number)), **values))
    lacking = changed(recorded(tmp_path / "lacking"))
    with pytest.raises(RecordingNotReadable, match="lacks the clip of call 1"):
        take_recorded(lacking, None, tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"x" * 1000])
def test_what_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(RecordingNotReadable, match=r"x\.zip is damaged, or no recording of spacediff"):
        read_recording(file)


def test_a_zip_is_a_recording_by_its_name_or_its_first_bytes(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    renamed = file.rename(tmp_path / "mine")
    video = tmp_path / "x.mkv"
    with zipfile.ZipFile(renamed) as archive:
        video.write_bytes(archive.read("clips/1.mkv"))
    assert [is_recording(each) for each in (renamed, tmp_path / "gone.zip", video, tmp_path / "gone")] == [
        True, True, False, False,
    ]  # fmt: skip


Entries = list[tuple[str, bytes]]


def repacked(file: Path, change: Callable[[Entries], Entries], packing: int = zipfile.ZIP_STORED) -> Path:
    """Write the entries of a recording again, changed."""
    with zipfile.ZipFile(file) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", packing) as archive:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in change(entries):
            archive.writestr(name, content)
    return file


DAMAGE: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "without its record": (lambda found: found[1:], "it has no recording.json"),
    "two records": (lambda found: [found[0], *found], "2 entries recording.json"),
    "two clips": (lambda found: [*found, found[1]], "2 entries clips/1.mkv"),
    "no clip": (lambda found: found[:1], "lacks the clip of call 1"),
    "half a clip": (lambda found: [found[0], (found[1][0], found[1][1][:900])], "the clip of call 1 of mine.zip is"),
    "another clip": (lambda found: [found[0], (found[1][0], b"RIFF" * 50)], "clip of call 1 of mine.zip is damaged"),
    "a clip of other frames": (
        lambda found: [found[0], (found[1][0], found[1][1][:-300] + bytes(300))], "the clip of call 1 of mine.zip is"),
    "nesting": (lambda found: [(found[0][0], b"[" * 10**6), found[1]], "mine.zip is damaged: its text"),
    "not UTF-8": (lambda found: [(found[0][0], b"\xff" * 99), found[1]], "mine.zip is damaged: its text"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_recording_is_one_error_that_names_it(name: str, tmp_path: Path) -> None:
    change, message = DAMAGE[name]
    file = repacked(recorded(tmp_path), change)
    with pytest.raises(RecordingNotReadable, match=re.escape(message)) as caught:
        compare_videos(file, file, out=tmp_path / "audit")
    assert caught.value.exit_code is Exit.BAD_INPUT
    assert "recorded.mkv" not in caught.value.message


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_may_need_much_memory_is_refused(packing: int, tmp_path: Path) -> None:
    file = repacked(recorded(tmp_path), list, packing)
    with pytest.raises(RecordingNotReadable, match="is packed in an unknown way"):
        read_recording(file)


def test_truncated_and_flipped_recordings_give_the_same_frames_or_one_error(tmp_path: Path) -> None:
    whole = recorded(tmp_path).read_bytes()
    file, chance = tmp_path / "damaged.zip", random.Random(0)  # noqa: S311 - which bits to flip
    refused = []
    for number in range(60):
        content = bytearray(whole)
        if number % 2:
            del content[chance.randrange(len(content)) :]
        else:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(content)
        try:
            assert np.array_equal(take_recorded(file, None, tmp_path).clip.frames, FRAMES)
        except RecordingNotReadable as error:
            refused.append(error.message)
    assert len(refused) > 50
    assert all("damaged.zip" in each for each in refused)
    assert [each.name for each in tmp_path.glob("*.mkv")] == []


def test_names_and_links_in_a_recording_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    file = repacked(
        recorded(tmp_path / "inner"),
        lambda found: [
            *found,
            ("../escaped.json", b"{}"),
            (str(tmp_path / "escaped.mkv"), b"x"),
            ("clips/../../escaped", b"x"),
        ],
    )
    with zipfile.ZipFile(file, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    compare_videos(file, file, out=tmp_path / "audit")
    assert [*tmp_path.rglob("escaped*"), *tmp_path.rglob("link")] == []


@pytest.mark.parametrize("name", ["recording.json", "clips/1.mkv"])
def test_a_bomb_is_not_unpacked(name: str, tmp_path: Path) -> None:
    file = repacked(
        recorded(tmp_path),
        lambda found: [(each, b" " * (65 * 2**20) if each == name else content) for each, content in found],
        zipfile.ZIP_DEFLATED,
    )
    with pytest.raises(RecordingNotReadable, match="is larger than"):
        take_recorded(file, None, tmp_path)
    assert not (tmp_path / "recorded.mkv").exists()


def test_a_clip_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    file, other = recorded(tmp_path / "a"), recorded(tmp_path / "b", frames=FRAMES[::-1])
    with zipfile.ZipFile(file) as archive:
        text = archive.read("recording.json")
    with zipfile.ZipFile(other) as archive:
        clip = archive.read("clips/1.mkv")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("recording.json", text)
        archive.writestr("clips/1.mkv", clip)
    with pytest.raises(RecordingNotReadable, match="is not the recorded one"):
        take_recorded(file, None, tmp_path)


@pytest.mark.parametrize(("seed", "others"), [(43, ["seed-44", "seed-45"]), (42, ["seed-43", "seed-44"])])
def test_the_seed_of_a_reference_is_no_other_seed(seed: int, others: list[str], tmp_path: Path) -> None:
    recorded(tmp_path, "theirs.zip", rng={"seed": seed})
    text = """
title = "t"
prompts.lemon = { text = "a lemon", seed = 42 }
baseline.model.id = "builtin:tiny-cogvideox-random"
scale.seeds = 2
reference.recording.file = "theirs.zip"
"""
    runs = plan_scenario(parse_scenario(text, tmp_path / "s.toml")).runs
    assert [run.name for run in runs if run.role is Role.SEED] == others


def test_a_recorded_reference_is_read_once_for_all_prompts_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def reading(file: Path) -> Recording:
        read.append(file)
        return read_recording(file)

    monkeypatch.setattr(reference_runs, "read_recording", reading)
    text = """
title = "t"
prompts.lemon = { text = "a lemon", seed = 42 }
prompts.lime = { text = "a lime", seed = 42 }
baseline.model.id = "builtin:tiny-cogvideox-random"
scale.seeds = 1
reference.recording.files = { lemon = "theirs.zip", lime = "theirs.zip" }
"""
    for count, seed in enumerate((43, 100_043), 1):
        (tmp_path / f"{seed}").mkdir()
        recorded(tmp_path / f"{seed}", "theirs.zip", rng={"seed": seed}).replace(tmp_path / "theirs.zip")
        runs = plan_scenario(parse_scenario(text, tmp_path / "s.toml")).runs
        assert len(read) == count
        assert {run.name for run in runs if run.role is Role.SEED} == {"seed-44" if seed == 43 else "seed-43"}


def test_an_unwritable_place_is_said_before_the_script_runs(tmp_path: Path) -> None:
    with pytest.raises(FileNotAccessible, match="there is no folder"):
        make_writable(tmp_path / "nowhere" / "a.zip")
    with pytest.raises(FileNotAccessible, match="is a folder"):
        make_writable(tmp_path)


def test_only_a_recording_is_written_over(tmp_path: Path) -> None:
    script, other = tmp_path / "run.py", tmp_path / "other.zip"
    script.write_text("print()")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("holiday.txt", "sun")
    for file in (script, other):
        before = file.read_bytes()
        with pytest.raises(FileExists, match="is there already, and is no recording"):
            make_writable(file)
        assert file.read_bytes() == before
    make_writable(recorded(tmp_path))


def test_secrets_are_redacted(tmp_path: Path) -> None:
    token = "hf_" + "abcdEFGH12345678" * 2
    file = recorded(tmp_path, model={"id": f"https://user:{token}@host/x"})
    with zipfile.ZipFile(file) as archive:
        assert token not in archive.read("recording.json").decode()
    assert isinstance(read_recording(file), Recording)


def with_tensors(folder: Path, tensors: dict[str, torch.Tensor], *, compressed: bool = False) -> tuple[Path, Path]:
    """Make a recording of tensors, and a folder to unpack into; the trace has the digest of no noise but zeros."""
    folder.mkdir(exist_ok=True)
    zeros = digest(torch.zeros(2, 3))
    left = left_by_a_process(folder / "left")
    save_file({"noise": torch.zeros(2, 3)}, left / "calls" / "1" / "tensors.safetensors")
    place = left / "calls" / "1" / "call.json"
    call = json.loads(place.read_text()) | {"tensors": ["noise"]}
    call["observation"]["noise"]["digest"] = zeros
    place.write_text(json.dumps(call))
    file = folder / "mine.zip"
    write_recording(assembled(left, folder / "run.py", exit_code=0, private=False), left, file)
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    assert "tensors/1.safetensors" in entries
    entries["tensors/1.safetensors"] = save(tensors) if tensors else b"x" * 999
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file, folder


def test_tensors_are_read_again(tmp_path: Path) -> None:
    file, folder = with_tensors(tmp_path, {"noise": torch.zeros(2, 3), "other": torch.ones(1)})
    (call,) = read_recording(file).calls
    found = recorded_tensors(file, call, folder)
    assert list(found) == ["noise"]
    assert torch.equal(found["noise"], torch.zeros(2, 3))
    assert not (folder / "recorded.safetensors").exists()


@pytest.mark.parametrize(
    ("tensors", "compressed", "message"),
    [
        ({"noise": torch.ones(2, 3)}, False, "noise of call 1 of mine.zip is not the recorded one"),
        ({"noise": torch.zeros(3, 2)}, False, "noise of call 1 of mine.zip is not the recorded one"),
        ({"other": torch.zeros(2, 3)}, False, "the tensors of call 1 of mine.zip are damaged"),
        ({}, False, "the tensors of call 1 of mine.zip are damaged"),
        ({"noise": torch.zeros(100_000)}, True, "the tensors of call 1 of mine.zip are larger than any of ours"),
    ],
)
def test_other_tensors_than_those_of_the_trace_are_refused(
    *, tensors: dict[str, torch.Tensor], compressed: bool, message: str, tmp_path: Path
) -> None:
    file, folder = with_tensors(tmp_path, tensors, compressed=compressed)
    with pytest.raises(RecordingNotReadable, match=message):
        recorded_tensors(file, read_recording(file).calls[0], folder)


def test_a_recording_without_tensors_says_so(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    with pytest.raises(RecordingNotReadable, match="has no tensors"):
        recorded_tensors(file, read_recording(file).calls[0], tmp_path)


def test_tensors_are_refused_before_the_script_runs(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text("raise SystemExit(3)")
    with pytest.raises(InvalidArgument, match="prompts can be guessed from text embeddings"):
        record_script(script, [], out=tmp_path / "a.zip", private=True, tensors=True)
    with pytest.raises(InvalidArgument, match="there is no step 0"):
        record_script(script, [], out=tmp_path / "a.zip", tensors_steps=[3, 0])


@pytest.mark.parametrize("digest", ["a", "b"])
def test_recordings_without_frames_are_compared_by_settings_and_steps(
    digest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = recorded(tmp_path, "theirs.zip", private=True, scheduler={"class": "CogVideoXDPMScheduler"})
    mine = recorded(tmp_path, "mine.zip", private=digest == "a", digest=digest)
    assert main(["compare", str(theirs), str(mine), "--out", str(tmp_path / "audit")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "not measured" in said
    assert "call 1 of theirs.zip has no clip: the recording is private" in said
    assert "scheduler.class: CogVideoXDPMScheduler in the reference, not there in the candidate" in said
    assert not {"call.edit_instruction:", "output.fps:", "output.quality:"} & {*said.split()}
    withheld = "not compared, since a private recording withholds them: call.edit_instruction, call.prompt"
    assert withheld in said
    record = read_record(tmp_path / "audit")
    (trace,) = record.traces
    assert (trace.stage, trace.unobserved) == (
        (Stage.NOWHERE if digest == "a" else Stage.STEP),
        ["inputs", "frames"],
    )
    (found,) = record.comparisons
    assert found.verdict is Verdict.NOT_MEASURED
    if digest == "a":
        assert trace_text(trace).endswith("not observed: the encoding of the input pictures, the frames.")
        assert record.loops[0].identical == []
    else:
        assert "differ by about 50 % after this step" in trace_text(trace)


def test_a_stranger_cannot_say_what_only_an_audit_knows(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    (call,) = read_recording(file).calls
    assert call.trace
    assert call.trace.noise
    claimed = fact(FactKind.TEXT, text="identical")
    trace = call.trace.model_copy(
        update={
            "latents": "../latents.zip",
            "transplant": [TransplantRecord(stage=Stage.TEXT, equal=True, distance=0.0)],
            "own_errors": [0.0],
            "noise": call.trace.noise.model_copy(update={"origin": claimed}),
        }
    )
    lying = read_recording(file).model_copy(update={"calls": (call.model_copy(update={"trace": trace}),)})
    text = lying.model_dump_json().encode()
    repacked(file, lambda found: [(name, text if name == "recording.json" else each) for name, each in found])
    found = take_recorded(file, None, tmp_path).trace
    assert found
    assert found.noise
    assert (found.latents, found.transplant, found.own_errors) == ("", [], [])
    assert found.noise.origin != claimed


def test_a_recording_without_frames_is_compared_with_one_that_has_some(tmp_path: Path) -> None:
    theirs, mine = recorded(tmp_path, "theirs.zip"), recorded(tmp_path, "mine.zip", private=True)
    record = compare_videos(theirs, mine, out=tmp_path / "audit").record
    assert [each.verdict for each in record.comparisons] == [Verdict.NOT_MEASURED]
    assert [trace.unobserved for trace in record.traces] == [["inputs", "frames"]]

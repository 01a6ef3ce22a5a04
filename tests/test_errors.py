from __future__ import annotations

import errno
import os
import pickle
import re
from pathlib import Path

import pytest
from safetensors import SafetensorError

from spacediff.errors import (
    DeviceUnavailable,
    DiskFull,
    Exit,
    GenerationFailed,
    Mistake,
    NotMeasuredError,
    OutOfMemory,
    ScenarioError,
    SpacediffError,
    SpaceFailed,
    SpaceSleeping,
    SpaceUnavailable,
    disk_full,
    error_classes,
    error_from_record,
    is_out_of_memory,
    raise_if_disk_full,
)
from support.paths import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([a-z-]+)` \| `(\w+)`(?: \(a `(\w+)`\))? \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_the_page_lists_every_class_by_its_code() -> None:
    assert {(code, name) for code, name, *_ in ROWS} == {(each.code, each.__name__) for each in error_classes()}


def test_every_code_is_one_classs_own_and_in_kebab_case() -> None:
    codes = [each.code for each in error_classes()]
    assert len(codes) == len(set(codes))
    assert all("code" in vars(each) for each in error_classes())
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_the_page_groups_classes_as_they_derive() -> None:
    bases = {each.__name__: {base.__name__ for base in each.__mro__} for each in error_classes()}
    exit_codes = {each.__name__: each.exit_code for each in error_classes()}
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    for title, base, exit_code in (
        ("Wrong input", "SpacediffError", Exit.BAD_INPUT),
        ("This machine", "SpacediffError", Exit.NOT_MEASURED),
        ("Not measured", "NotMeasuredError", Exit.NOT_MEASURED),
        ("Spaces", "SpaceUnavailable", Exit.NOT_MEASURED),
    ):
        (section,) = (each for each in sections if each.startswith(title))
        listed = [row for row in ROWS if f"| `{row[0]}` |" in section]
        assert listed
        for _, name, named_base, *_ in listed:
            assert exit_codes[name] is exit_code, name
            assert {base, named_base or base} <= bases[name], name
            assert title == "Spaces" or "SpaceUnavailable" not in bases[name], name


def test_every_failure_is_raised_by_a_class_that_says_what_happened() -> None:
    bases = re.compile(r"\b(?:SpacediffError|NotMeasuredError|SpaceUnavailable)\((?=[\"f\n])")
    sources = list((ROOT / "harness").rglob("*.py"))
    assert len(sources) > 100
    assert [path.name for path in sources if bases.search(path.read_text("utf-8"))] == []


def test_record_keeps_enough_to_raise_the_same_error() -> None:
    error = error_from_record("space-sleeping", "Space a/b is asleep", "open its page")
    assert type(error) is SpaceSleeping
    assert isinstance(error, SpaceUnavailable)
    assert (error.message, error.hint, error.exit_code) == ("Space a/b is asleep", "open its page", Exit.NOT_MEASURED)


@pytest.mark.parametrize("code", ["", "of-a-later-version", "scenario-invalid"])
def test_unknown_code_of_a_record_is_not_measured(code: str) -> None:
    assert type(error_from_record(code, "why")) is NotMeasuredError


@pytest.mark.parametrize(
    "error",
    [
        DeviceUnavailable("no CUDA", hint="elsewhere"),
        ScenarioError(Path("a.toml"), [Mistake(3, "title", "a number", "a text")]),
    ],
)
def test_errors_pass_between_processes(error: SpacediffError) -> None:
    received = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(received) is type(error)
    assert (received.message, received.hint, received.code) == (error.message, error.hint, error.code)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_recognised_also_as_a_cause(number: int) -> None:
    full = OSError(number, os.strerror(number), "/runs/clip.mkv")
    wrapped = GenerationFailed("the clip could not be written")
    wrapped.__cause__ = full
    for error in (full, wrapped, DiskFull("full"), OSError(f"ffmpeg: {os.strerror(number)}")):
        found = disk_full(error)
        assert found is not None
        assert found.exit_code is Exit.NOT_MEASURED
        with pytest.raises(DiskFull):
            raise_if_disk_full(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        SpaceFailed("the Space reported an error: No space left on device"),
        RuntimeError("no space"),
    ],
)
def test_a_full_disk_elsewhere_or_another_failure_is_not_ours(error: Exception) -> None:
    raise_if_disk_full(error)
    assert disk_full(error) is None


def test_a_chain_of_errors_that_ends_in_itself_is_followed_once() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert disk_full(one) is None


def test_memory_that_runs_out_is_recognised() -> None:
    import torch

    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    assert OutOfMemory.code == "out-of-memory"


def test_safetensors_says_that_a_disk_is_full_in_its_own_words() -> None:
    message = f"Error while serializing: I/O error: No space left on device (os error {errno.ENOSPC})"
    with pytest.raises(DiskFull, match=r"^the disk is full$"):
        raise_if_disk_full(SafetensorError(message))
    with pytest.raises(DiskFull, match=r"^the disk of audits/mine is full$"):
        raise_if_disk_full(SafetensorError(message), Path("audits/mine"))
    with pytest.raises(DiskFull, match=r"the disk is full: .*clip\.mkv"):
        raise_if_disk_full(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "clip.mkv"), Path("audits/mine"))
    raise_if_disk_full(SafetensorError("Error while deserializing header: header too large"))
    raise_if_disk_full(RuntimeError(message))  # a Space may quote its own disk

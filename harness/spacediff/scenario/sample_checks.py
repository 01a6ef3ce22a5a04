"""Checks of a scenario that compares groups of clips, and of keys that only such a scenario has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spacediff.errors import Mistake
from spacediff.group_sizes import MEASURES_OF_CLIPS, MEASURES_OF_PICTURES, MOST_SAMPLES, able, fewest_clips
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import mistake_at
from spacediff.scenario.plain_tables import table_at

_FROM_FILES = ("video", "pictures", "recording")


def sample_checks(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find keys that mean nothing with or without `samples`, and groups of a single file."""
    grouped = "samples" in data
    gate = table_at(data, "gate")
    for key in ("max_drift", "max_worst_tile") if grouped else ():
        if key in gate:
            expected = "max_effect: with samples, groups are compared, and these have no drift"
            yield mistake_at(lines, ("gate", key), f"{key} together with samples", expected)
    for key in ("against", "max_rise") if grouped else ():
        if key in gate:
            expected = "variant and max_effect: groups are not compared with an accepted state"
            yield mistake_at(lines, ("gate", key), f"{key} together with samples", expected)
    if "max_effect" in gate and not grouped:
        expected = "samples = N as well, or max_drift: one clip against one clip has no effect size"
        yield mistake_at(lines, ("gate", "max_effect"), "max_effect without samples", expected)
    for kind in _FROM_FILES:
        for where, given in _given(data, kind):
            yield from _group(kind, where, given, lines, grouped=grouped)


def _given(data: Mapping[str, Any], kind: str) -> Iterator[tuple[Parts, Any]]:
    """Yield each place that names the files of a prompt's reference, and what is there."""
    table = table_at(data, "reference", kind)
    if "file" in table:
        yield ("reference", kind, "file"), table["file"]
    for name, given in table_at(table, "files").items():
        yield ("reference", kind, "files", name), given


def _group(kind: str, where: Parts, given: Any, lines: Places, *, grouped: bool) -> Iterator[Mistake]:
    several = isinstance(given, list)
    if grouped and several and len(given) > MOST_SAMPLES:
        yield mistake_at(lines, where, f"{len(given)} files", f"at most {MOST_SAMPLES} files a side")
    elif grouped and (isinstance(given, str) or (several and len(given) == 1)):
        expected = "a list of at least two files: with samples, groups are compared"
        yield mistake_at(lines, where, "one file", expected)
    elif not grouped and several and kind != "pictures":
        yield mistake_at(lines, where, "a list of files", "one file, or samples = N to compare groups")


def group_size_checks(data: Mapping[str, Any], prompts: int, texts: int, lines: Places) -> Iterator[Mistake]:
    """Find groups that are too small to show any difference, however large.

    Args:
        data: The tables of a scenario that the schema has accepted.
        prompts: Number of prompts.
        texts: Number of texts that the clips are asked for, over all prompts.
        lines: The lines of its keys.
    """
    if "samples" not in data:
        return
    samples, of_pictures = int(data["samples"]), "pictures" in table_at(data, "reference")
    tests = prompts * (MEASURES_OF_PICTURES if of_pictures else MEASURES_OF_CLIPS) + texts
    fewest = fewest_clips(tests)
    needed = "fewer prompts or parts" if fewest is None else f"at least {fewest} a side"
    why = f"{needed}: all prompts and parts need {tests} tests, in which so few can show no difference"
    files = {where: given for kind in _FROM_FILES for where, given in _given(data, kind)}
    for where, given in files.items():
        if not able(len(given), samples, tests):
            yield mistake_at(lines, where, f"{len(given)} files against {samples} samples", why)
    if not files and not able(samples, samples, tests):
        yield mistake_at(lines, ("samples",), str(samples), why)

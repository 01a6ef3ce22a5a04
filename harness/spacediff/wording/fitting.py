"""Sentences on whether runs fit on this machine, and on what an audit is expected to take."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import FactKind, ForecastRecord, TakenRecord
from spacediff.wording.numbers import counted, duration, listed, plain, size
from spacediff.wording.numbers import seconds as short_time
from spacediff.wording.vocabulary import says, sentence


@says(FactKind.MEMORY_SHORT)
def _memory_short(
    *,
    runs: Sequence[str],
    certain: bool,
    device: str,
    need: int,
    free: int,
    changes: Sequence[str],
    tested: Sequence[str],
) -> str:
    place = f"on {device}" if device else "in this machine's memory"
    if certain:
        found = f"cannot run here: the weights alone need {size(need)} {place}"
    else:
        outlook = "may run out of memory" if need > free else "will be tight"
        found = f"{outlook}: about {size(need)} needed {place}, {size(free)} free"
    if changes:
        advice = f"with {listed(changes)} in [baseline] it fits"
    elif tested:
        advice = f"what would lower the need is what it tests: {listed(tested)}"
    else:
        advice = "no other placement or tiling makes it fit"
    return f"{listed(runs)} {found}; {advice}"


@says(FactKind.MEMORY_UNKNOWN)
def _memory_unknown(*, runs: Sequence[str], model: str, reason: str) -> str:
    return f"the memory that {model} needs for {listed(runs)} is not estimated; the first run measures it ({reason})"


@says(FactKind.DISK_SHORT)
def _disk_short(*, clips: int, need: int, free: int) -> str:
    return f"the disk may fill up: up to {clips} clips take about {size(need)}, and {size(free)} are free"


@says(FactKind.WEIGHTS_DOWNLOAD)
def _weights_download(*, model: str, need: int, free: int, folder: str) -> str:
    return f"the weights of {model} are downloaded first: {_size(need)}, and {size(free)} are free in {folder}"


@says(FactKind.DOWNLOAD_UNKNOWN)
def _download_unknown(*, model: str) -> str:
    return f"how much of {model} is downloaded first is unknown"


@says(FactKind.WORKERS_LEFT_OUT)
def _workers_left_out(*, workers: int, of: int, differing: Sequence[str]) -> str:
    return (
        f"{workers} of {of} workers of the cluster {'is' if workers == 1 else 'are'} not used: their results cannot "
        f"be compared with the rest, as their machines differ in {listed(differing)}"
    )


@says(FactKind.EXPECTED)
def _expected(
    *,
    generations: int,
    control: int,
    search: float,
    step: float | None,
    seconds: float | None,
    search_seconds: float | None,
    repeated_seconds: float | None,
    device: str,
    memory: int | None,
    least: bool,
    disk: int | None,
    free: int,
) -> str:
    further = [
        *([f"at most {control} more for the control with deterministic algorithms"] if control else []),
        *([f"at most {plain(search)} more in search of the cause"] if search else []),
    ]
    place = f"on {device}" if device else "of this machine's memory"
    return "; ".join(
        (
            f"expected: {listed([counted(generations, 'generation'), *further])}",
            _time(step, seconds, search_seconds, repeated_seconds),
            f"{'at least' if least else 'about'} {size(memory)} {place}"
            if memory
            else "memory unknown before the first",
            f"{_about(disk) if disk else 'an unknown part'} of the disk, where {size(free)} are free",
        )
    )


def _about(count: int) -> str:
    return f"{'' if count < 2**20 else 'about '}{_size(count)}"


def _size(count: int) -> str:
    return "less than 1 MiB" if count < 2**20 else size(count)


def forecast_texts(forecast: ForecastRecord) -> list[str]:
    """Say what was expected last, since it is known best, and what it came to."""
    before, *later = map(sentence, forecast.expected)
    expected = f"after the first generation, {later[-1]}" if later else before
    return [expected, taken_text(forecast.taken)]


def taken_text(taken: TakenRecord) -> str:
    """Say what an audit took, in the words of what was expected."""
    further = [
        *([f"{taken.control} more for the control with deterministic algorithms"] if taken.control else []),
        *([f"{plain(round(taken.search, 1))} more in search of the cause"] if taken.search else []),
    ]
    of_search = f", {duration(taken.search_seconds)} of it for the search" if taken.search else ""
    place = f"on {taken.device}" if taken.device else "of this machine's memory"
    return "; ".join(
        (
            f"taken: {listed([counted(taken.generations, 'generation'), *further])}",
            f"{duration(taken.seconds + taken.search_seconds)}{of_search}",
            f"{size(taken.memory)} {place}" if taken.memory else "memory not measured",
            f"{_size(taken.disk)} of the disk.",
        )
    )


def _time(step: float | None, seconds: float | None, search: float | None, repeated: float | None) -> str:
    if seconds is None:
        return "the time is known after the first"
    each = f", at {short_time(step)} for a step" if step else ""
    with_search = f", {duration(seconds + search)} with the search" if search else ""
    in_one = f", about {duration(repeated)} where the script's call can be repeated in one process" if repeated else ""
    return f"about {duration(seconds)}{with_search}{in_one}{each}"

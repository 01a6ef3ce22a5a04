"""References that were fetched before: taken from another audit when asked, how old they are, and what changed since.

A reference has cost somebody's GPU time, so it is kept; but it shows the Space as it was then, at one commit. So it is
used again for the same request alone, and never without saying how old it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from spacediff.errors import NotMeasuredError, ReferenceNotKept
from spacediff.plan import Plan
from spacediff.record import Fact, FactKind, RunRecord, fact
from spacediff.run import Run
from spacediff.store.store import Store
from spacediff.worker.identity import key_of


def take_references(plan: Plan, store: Store, folder: Path) -> None:
    """Take the reference of a plan from another audit folder.

    Args:
        plan: The plan.
        store: Where the runs go to; what is there already stays.
        folder: The other audit folder.

    Raises:
        ReferenceNotKept: It is no folder, or does not have all runs of the reference, fetched by the same requests.
    """
    other = Store(folder)
    wanted = [run for run in plan.runs if run.source in {"space", "inference", "command"} and not run.made_here]
    missing = [run for run in wanted if not _take(run, store, other)]
    if missing and not folder.is_dir():
        raise ReferenceNotKept(
            f"{folder} is a file" if folder.exists() else f"there is no folder {folder}",
            hint="name the folder of an earlier audit",
        )
    if not wanted or missing:
        what = f"no {_named(missing)} that was fetched by the same request" if wanted else "nothing that could be taken"
        raise ReferenceNotKept(
            f"{folder} has {what}",
            hint="id, endpoint, inputs, outputs, prompt, seed and repeats have to be those of the earlier audit"
            if wanted
            else "only the reference of a Space, an API or a program is kept",
        )


def _take(run: Run, store: Store, other: Store) -> bool:
    key = key_of(run, {})
    return store.get(key) is not None or store.take(other, key)


def _named(runs: Sequence[Run]) -> str:
    return " and no ".join(f"{run.name} of {run.prompt.name}" for run in runs[:3])


def kept_references(runs: Iterable[RunRecord], since: datetime) -> list[Fact]:
    """Return how old the clips are that were fetched before a moment; nothing where all were fetched after it.

    Args:
        runs: The runs of an audit.
        since: When it began.
    """
    kept = [(moment, run) for run in runs if (moment := _moment(run.fetched)) is not None and moment < since]
    if not kept:
        return []
    oldest, run = min(kept, key=lambda each: each[0])
    return [
        fact(
            FactKind.REFERENCE_KEPT,
            prompts=list(dict.fromkeys(each.prompt for _, each in kept)),
            fetched=run.fetched,
            age=(since - oldest).total_seconds(),
            commit=run.hosted.get("commit", ""),
            hardware=run.hosted.get("hardware", ""),
        )
    ]


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def changed_spaces(runs: Iterable[RunRecord]) -> list[Fact]:
    """Return the Spaces that are at another commit now than when a clip was fetched, or were meanwhile.

    The Hub is asked once for each; one that does not answer leaves that unknown.

    Args:
        runs: The runs of an audit.
    """
    from spacediff.hub.asking import space_on_hub

    commits: dict[str, list[str]] = {}
    for run in runs:
        if run.source == "space" and (commit := run.hosted.get("commit")) and (space := run.hosted.get("space")):
            commits.setdefault(space, []).append(commit)
    found = []
    for space, fetched in commits.items():
        with suppress(NotMeasuredError):
            fetched.append(space_on_hub(space).commit or fetched[-1])
        distinct = list(dict.fromkeys(fetched))
        found += [fact(FactKind.SPACE_CHANGED, space=space, commits=distinct)] if len(distinct) > 1 else []
    return found

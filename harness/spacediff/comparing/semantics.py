"""Semantics: what the clips of a prompt show, measured once everything is generated and compared.

The key insight is that a value means little by itself: a cosine of 0.21 is neither much nor little. So every clip is
compared with the reference and with different seeds of the baseline, all by the same model in the same audit;
and all have been through the same encoder, as the frames that the other numbers rest on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import read_frames
from spacediff.errors import MetricUnavailable, NotMeasuredError, failure, raise_if_disk_full
from spacediff.files import sha256, write_atomically
from spacediff.interrupts import raise_if_interrupted
from spacediff.metrics.contrastive import Contrastive
from spacediff.metrics.semantic import Agreement, Semantic
from spacediff.observer.digest_length import DIGITS
from spacediff.plan import Plan, Semantics
from spacediff.progress import Progress
from spacediff.record import (
    ASIDE,
    AgreementRecord,
    ComparisonRecord,
    Fact,
    Record,
    Role,
    RunRecord,
    SemanticsRecord,
    TextRecord,
    redacted_fact,
)
from spacediff.run import Prompt
from spacediff.scenario.paths import is_path
from spacediff.scenario.tables.semantics import DETECTOR
from spacediff.store.store import SEMANTICS
from spacediff.tiny.agreement import Detector

Files = Mapping[tuple[str, str], Path]
"""Prompt and run to the file whose frames were compared."""

Opened = Callable[[str, str | None], Semantic]
"""Opens a measure by the model's name and revision."""


_PROMPT = "prompt"
"""Stands for the whole prompt where parts have their own names."""


def open_measure(model: str, revision: str | None) -> Semantic:
    """Return the measure that a scenario names: the tiny world's detector, or a CLIP checkpoint.

    Raises:
        NotMeasuredError: The checkpoint is unavailable.
    """
    return Detector() if model == DETECTOR else Contrastive.opened(model, revision)


def measure_semantics(
    plan: Plan,
    runs: Sequence[RunRecord],
    files: Files,
    folder: Path,
    progress: Progress,
    *,
    opened: Opened = open_measure,
) -> Iterator[SemanticsRecord]:
    """Measure what the clips show.

    Args:
        plan: Which model, which prompts and parts of them; what is the reference.
        runs: All runs.
        files: Where the compared frames lie; clips without a file here are left out.
        folder: The audit folder; what was measured is kept in it, and not measured again.
        progress: Receives the progress.
        opened: Opens the measure.

    Yields:
        A record for each prompt, with the reason where it could not be measured; none where the plan asks for none.
    """
    asked = plan.semantics
    if asked is None:
        return
    try:
        measure = opened(asked.model, asked.revision)
    except NotMeasuredError as error:
        yield from (_not_measured(asked, prompt, error) for prompt in plan.prompts)
        return
    with closing(measure):
        look = Look(measure, folder, progress)
        for prompt in plan.prompts:
            of_prompt = [run for run in runs if run.prompt == prompt.name and run.role not in ASIDE]
            try:
                found = _of_prompt(asked, prompt, of_prompt, files, look)
            except NotMeasuredError as error:
                yield _not_measured(asked, prompt, error)
            except Exception as error:  # noqa: BLE001 - what a stranger's model does must not cost the other numbers
                raise_if_disk_full(error)
                yield _not_measured(asked, prompt, MetricUnavailable(f"measuring failed: {failure(error)}"))
            else:
                yield found.recorded(plan.reference)


def write_into_tables(found: SemanticsRecord, comparisons: Sequence[ComparisonRecord], folder: Path) -> None:
    """Write the agreement of each compared pair of frames into the tables of the comparisons."""
    import pandas as pd

    for comparison in comparisons:
        if comparison.prompt != found.prompt or not comparison.frames_csv or not found.texts:
            continue
        path = folder / comparison.frames_csv
        table = pd.read_csv(path, dtype=str, keep_default_na=False)  # what is there stays as it was written
        for text in found.texts:
            sides = ("reference", comparison.reference), ("candidate", comparison.candidate)
            for side, (name, run) in enumerate(sides):
                if clip := text.of(run):
                    table[f"{text.part or _PROMPT}@{name}"] = [clip.frames[pair[side]] for pair in comparison.frame_map]
        write_atomically(path, table.to_csv(index=False, lineterminator="\n"))


class _Measured(Record):
    """What is kept of a clip that was measured."""

    scores: list[list[float]]
    remarks: list[Fact]


@dataclass(frozen=True)
class Look:
    """A measure that looks at each file once, be it in this audit or in one that was interrupted."""

    measure: Semantic
    folder: Path
    progress: Progress

    def at(self, file: Path, texts: list[str], name: str) -> Agreement:
        """Return how well a file's clip agrees with some texts; the name is the run's, for the progress."""
        raise_if_interrupted()
        key = hashlib.sha256(json.dumps([self.measure.identity, texts, sha256(file)]).encode()).hexdigest()
        path = self.folder / SEMANTICS / f"{key[:DIGITS]}.json"
        try:
            kept = _Measured.model_validate_json(path.read_text("utf-8"))
            return Agreement(np.array(kept.scores, float).reshape(-1, len(texts)), tuple(kept.remarks))
        except (OSError, ValueError):  # there is none, or it is damaged
            found = self.measure.measure(read_frames(file), texts, lambda done: self._report(f"{name}: {done} frames"))
        path.parent.mkdir(parents=True, exist_ok=True)
        remarks = [redacted_fact(each) for each in found.remarks]
        write_atomically(path, _Measured(scores=found.scores.tolist(), remarks=remarks).model_dump_json())
        return found

    def _report(self, text: str) -> None:
        raise_if_interrupted()
        self.progress.on_status(text)


@dataclass(frozen=True)
class _Found:
    """What came out for one prompt."""

    asked: Semantics
    prompt: Prompt
    roles: Mapping[str, Role]
    measure: Semantic
    agreements: Mapping[str, Agreement]

    def recorded(self, reference: str) -> SemanticsRecord:
        """Return the record of it."""
        return SemanticsRecord(
            prompt=self.prompt.name,
            model=_named(self.asked.model),
            version=self.measure.version,
            about=self.measure.about,
            texts=[
                _text(
                    part,
                    "" if self.prompt.private else text,
                    {name: each.scores[:, n] for name, each in self.agreements.items()},
                    self.roles,
                    reference,
                )
                for n, (part, text) in enumerate(self.asked.texts(self.prompt).items())
            ],
            notes=_each_once(remark for each in self.agreements.values() for remark in each.remarks),
        )


def _each_once(facts: Iterable[Fact]) -> list[Fact]:
    found: list[Fact] = []
    for each in facts:
        found += [each] * (each not in found)
    return found


def _of_prompt(asked: Semantics, prompt: Prompt, runs: Sequence[RunRecord], files: Files, look: Look) -> _Found:
    texts = list(asked.texts(prompt).values())
    shown = [(run, file) for run in runs if (file := files.get((prompt.name, run.name)))]
    if not shown:
        raise MetricUnavailable("there is no clip to look at")
    roles = {run.name: run.role for run, _ in shown}
    return _Found(asked, prompt, roles, look.measure, {run.name: look.at(file, texts, run.name) for run, file in shown})


def _text(
    part: str, asked: str, found: Mapping[str, NDArray[np.float64]], roles: Mapping[str, Role], reference: str
) -> TextRecord:
    means = {name: float(scores.mean()) for name, scores in found.items()}
    others = [means[name] for name, role in roles.items() if role is Role.SEED]
    seeds = (min(others), max(others)) if others else None
    baseline = next((name for name, role in roles.items() if role is Role.BASELINE), "")
    rerun = next((name for name, role in roles.items() if role is Role.RERUN), "")
    return TextRecord(
        part=part,
        asked=asked,
        clips=[
            AgreementRecord(
                run=name,
                mean=means[name],
                frames=found[name].tolist(),
                difference=means[reference] - means[name] if reference in means and name != reference else None,
                place="" if roles[name] is Role.SEED else _place(means[name], seeds),
            )
            for name in sorted(found, key=lambda name: name != reference)
        ],
        seeds=seeds,
        rerun=abs(means[rerun] - means[baseline]) if baseline and rerun else None,
    )


def _place(mean: float, seeds: tuple[float, float] | None) -> Literal["below", "within", "above", ""]:
    if seeds is None:
        return ""
    return "below" if mean < seeds[0] else "above" if mean > seeds[1] else "within"


def _not_measured(asked: Semantics, prompt: Prompt, error: NotMeasuredError) -> SemanticsRecord:
    return SemanticsRecord(
        prompt=prompt.name, model=_named(asked.model), code=error.code, reason=error.message, hint=error.hint
    )


def _named(model: str) -> str:
    """Return a model's name; of a folder elsewhere only the last part is shown, after an ellipsis."""
    return f".../{Path(model).name}" if is_path(model) else model

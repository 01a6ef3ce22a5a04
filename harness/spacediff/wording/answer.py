"""The answer: whether the user's own output is the reference's, why not, and what it lacks, before everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spacediff.record import AuditRecord, ComparisonRecord, MetricRecord, RunRecord, Verdict
from spacediff.wording.alignment import why_aligned
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, listed, number, number_word, start
from spacediff.wording.verdicts import clause, reference_noun

_OUTCOMES: Mapping[str, str] = {
    Verdict.IDENTICAL: "gives the {clip} of {there}: every pixel is equal.",
    Verdict.CODEC_ONLY: "gives the {clip} of {there}; only the codec lies between them.",
    Verdict.NUMERIC_DRIFT: "gives the same sample as {there}; what differs is no larger than the codec's own loss.",
    Verdict.SETTINGS_DIFFER: "gives {other} {clip} than {there}, but closer than a different seed's.",
    Verdict.DIFFERS: "gives {other} {clip} than {there}; this audit does not show how far.",
    Verdict.DIFFERENT_SAMPLE: "gives a different sample than {there}.",
}


def answer_sentences(record: AuditRecord, prompt: str) -> list[str]:
    """Answer what was asked, for one prompt: the baseline's output first, then its cause, then what it lacks.

    Of two files, whose settings are unknown, the numbers follow in place of a cause. Empty where nothing was compared,
    and where groups of clips were, which have sentences of their own.
    """
    if any(groups.prompt == prompt for groups in record.samples):
        return []
    name = record.overview(prompt).baseline
    runs = {run.name: run for run in record.runs if run.prompt == prompt}
    if not name:
        return _of_files(record, prompt, runs)
    found = record.comparison(prompt, name)
    if record.reference in runs and runs[record.reference].failed:
        return ["The reference was not measured, so nothing could be compared with it."]
    if found is None or name not in runs:
        return []
    subject = "Your script" if runs[name].source == "script" else "The baseline"
    said = [f"{subject} {_outcome(found, reference_noun(record))}"]
    if not found.verdict.matches:
        said += [*_cause(record), *_lacking(record, prompt, name)]
    return said


def _outcome(found: ComparisonRecord, there: str) -> str:
    words = _OUTCOMES.get(found.verdict)
    clip = nouns()
    other = "other" if clip.several else "another"
    return words.format(clip=clip.clip, there=there, other=other) if words else clause(found.verdict)


def _cause(record: AuditRecord) -> list[str]:
    """Say how many settings cause it; the finding says which, and what that rests on."""
    cause = record.cause
    if cause is None or not cause.started or not cause.finished or cause.start != "baseline":
        return []
    if cause.start_within or not cause.changes:
        return []
    count, target = len(cause.changes), cause.target_verdict
    settings = "One setting" if count == 1 else f"{start(number_word(count))} settings"
    if cause.target == record.reference or (target is not None and target.matches):
        return [f"{settings} cause{'s' * (count == 1)} it."]
    made = f"{settings} make{'s' * (count == 1)} it differ from {cause.target}"
    return [f"{made}, which does not match {reference_noun(record)} either."]


def _lacking(record: AuditRecord, prompt: str, name: str) -> list[str]:
    """Say what the clip shows least of, next to the reference's."""
    for found in record.semantics:
        if found.prompt == prompt and found.least_shown is not None:
            text = found.texts[found.least_shown]
            own, there = text.of(name), text.of(record.reference)
            if text.part and own is not None and there is not None and there.mean > 0 and own.mean < there.mean:
                return [f"{start(text.part)}: {own.mean / there.mean:.0%} of the reference."]
    return []


def _of_files(record: AuditRecord, prompt: str, runs: Mapping[str, RunRecord]) -> list[str]:
    """Answer for two files: whether they are equal, and the numbers if not; empty for a scenario without a baseline."""
    candidates = [name for name in record.overview(prompt).order if name != record.reference]
    found = record.comparison(prompt, candidates[0]) if len(candidates) == 1 else None
    if found is None or record.reference not in runs or record.scenario_name:
        return []
    both = [runs[name] for name in (candidates[0], record.reference)]
    own, other = (run.described.removeprefix("file ") or run.name for run in both)
    cut = any(run.source == "video" and run.clip is not None and run.clip.original is None for run in both)
    if cut:  # not the whole file was taken
        own, other = f"The start of {own}, {counted(len(found.frame_map), nouns().frame)},", f"that of {other}"
    if found.identical:
        return [f"{own} equals {other}: every pixel is the same."]
    infos = {info.name: info for info in record.metrics}
    values = [
        f"{infos[name].title} {number(metric.pooled, infos[name])} {infos[name].unit}".strip()
        for name, metric in found.metrics.items()
        if name in {"psnr", "ssim"} and name in infos
    ]
    if not values:
        return [f"{own} {clause(found.verdict)}"]
    mae = found.metrics.get("mae")
    if mae is not None and mae.pooled == 0:  # else they would be said to differ by nothing
        said = [f"{own} differs from {other}, but not in the {nouns().frames} that were compared: these are equal."]
    else:
        said = [f"{own} differs from {other}: {', '.join(values)}{_worst(found.metrics)}."]
    if found.verdict is Verdict.POST_PROCESSED:
        said.append(f"{why_aligned(found.notes)}; the numbers are those after the alignment.")
    return [*said, *_frames_left_out(found, both)]


def _frames_left_out(found: ComparisonRecord, both: Sequence[RunRecord]) -> list[str]:
    """Say how many frames of the candidate and of the reference are in no pair that was compared."""
    paired = [len({pair[side] for pair in found.frame_map}) for side in (1, 0)]
    missing = [
        f"{run.clip.frames - count} of the {counted(run.clip.frames, nouns().frame)} of "
        f"{run.described.removeprefix('file ') or run.name}"
        for run, count in zip(both, paired, strict=True)
        if run.clip is not None and 0 < count < run.clip.frames
    ]
    return [f"Not compared: {listed(missing)}."] if missing else []


def _worst(metrics: Mapping[str, MetricRecord]) -> str:
    shown = metrics.get("ssim") or metrics.get("psnr")
    return f"; worst at {nouns().frame} {shown.worst_frame}" if shown is not None else ""

"""What came out of an audit, in a screenful."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spacediff.cli.console import Terminal, one_line
from spacediff.cli.differing import show_differing
from spacediff.record import (
    AuditRecord,
    Change,
    ComparisonRecord,
    Control,
    DivergenceRecord,
    FactKind,
    GateStatus,
    HistoryRecord,
    OverviewRecord,
    Role,
    Stage,
    Verdict,
)
from spacediff.reporting.inside import place_of
from spacediff.wording import (
    after_colon,
    agreement_text,
    answer_sentences,
    approximation_texts,
    cause_text,
    cost_text,
    determinism_text,
    fix_code,
    forecast_texts,
    gate_headline,
    history_text,
    ignored_text,
    left_open_text,
    nouns,
    outcome,
    paragraph,
    presenting,
    samples_text,
    sentence,
    sentences,
    spread_text,
    transplant_text,
    worst_tile_text,
)
from spacediff.wording.numbers import number, value, written_rank

_NARROW = 72
"""Columns below which the table keeps to verdict and drift."""

_MOST_WARNINGS = 8
"""Warnings of runs that are printed."""

_STYLES = {
    Verdict.IDENTICAL: "green",
    Verdict.CODEC_ONLY: "green",
    Verdict.NUMERIC_DRIFT: "cyan",
    Verdict.SETTINGS_DIFFER: "yellow",
    Verdict.DIFFERENT_SAMPLE: "magenta",
}
_GATE_STYLES = {GateStatus.PASSED: "bold green", GateStatus.FAILED: "bold red", GateStatus.NOT_MEASURED: "bold yellow"}


def show_summary(record: AuditRecord, report: Path, *, brief: bool = False) -> None:
    """Print what came out, and where the report is; if brief, only cause, fix and gate of it."""
    with presenting(record):
        console = Terminal()
        if not brief:
            _show(console, record)
        _show_answers(console, record)
        _show_cause(console, record)
        if text := left_open_text(record):
            console.print(Text.assemble(("not measured: ", "bold"), text))
        _show_gate(console, record)
        if report.is_file():
            console.print(Text.assemble(("report: ", "bold"), str(report)))


def _show(console: Console, record: AuditRecord) -> None:
    console.print()
    console.print(Text(record.title, "bold"))
    for prompt in record.prompts:
        _show_prompt(console, record, prompt.name)
    for text in sentences(record.about_reference):
        console.print(Text.assemble(("reference: ", "bold"), one_line(text)))
    for text in approximation_texts(record.approximations):
        console.print(Text.assemble(("approximate: ", "bold yellow"), one_line(text)))
    _show_notes(console, record)
    if not record.finished:
        console.print(Text("interrupted: run the same command again to continue", "bold yellow"))
    if record.history:
        _show_history(console, record.history)
    if record.forecast is not None:
        for text in forecast_texts(record.forecast):
            console.print(Text(one_line(text)))


def _show_prompt(console: Console, record: AuditRecord, prompt: str) -> None:
    """Print how the runs of a prompt compare, inside the loop too, and what repeating the same showed."""
    overview = record.overview(prompt)
    local = [each for each in record.local_comparisons if each.prompt == prompt]
    if shown := local or _compared(record, overview):
        without = "without a reference, " if local else ""
        title = f"{prompt}: {without}compared with {shown[0].reference}"
        console.print(_table(record, title, shown, narrow=console.width < _NARROW))
    if places := _places(record, overview):
        console.print(Text.assemble(("inside the loop, ", "bold"), places))
    for name, text in _transplants(record, prompt):
        console.print(Text.assemble((f"{name}: ", "bold"), text))
    show_differing(console, record.runs, record.reference, overview)
    _show_worst_tiles(console, record, overview)
    _show_contents(console, record, overview)
    _show_groups(console, record, prompt)
    for line in _again(record, prompt):
        console.print(Text.assemble((f"{line[0]}: ", "bold"), line[1]))
    if record.determinism is not None and record.determinism.prompt == prompt:
        console.print(Text.assemble(("control: ", "bold"), determinism_text(record.determinism)))
    for remark in overview.remarks:
        console.print(Text.assemble((f"{', '.join(remark.runs)}: ", "bold"), sentence(remark.fact)))


def _show_worst_tiles(console: Console, record: AuditRecord, overview: OverviewRecord) -> None:
    """Print where the first clip and the judged one differ most, which means over a clip hide."""
    found = {each.candidate: each.worst_tile for each in record.comparisons if each.prompt == overview.prompt}
    for name in dict.fromkeys([overview.selected, overview.judged]):
        if (tile := found.get(name or "")) is not None:
            console.print(Text.assemble((f"worst tile of {name}: ", "bold"), worst_tile_text(tile)))


def _show_groups(console: Console, record: AuditRecord, prompt: str) -> None:
    """Print how the groups of clips compare."""
    for groups in record.samples:
        if groups.prompt == prompt:
            console.print(Text.assemble(("groups: ", "bold"), samples_text(groups)))


def _transplants(record: AuditRecord, prompt: str) -> Iterator[tuple[str, str]]:
    """Yield runs whose stages were fed a recording's tensors, each with what came of it."""
    for run in record.runs:
        if run.prompt == prompt and run.trace and run.trace.transplant:
            yield run.name, transplant_text(run.trace.transplant, len(run.trace.steps))


def _show_gate(console: Console, record: AuditRecord) -> None:
    gate = record.gate
    if not (gate.variant or (gate.reasons and record.finished)):
        return
    about = f" ({gate.variant})" if gate.variant else ""
    style = "bold yellow" if record.approximations else _GATE_STYLES.get(gate.status, "bold")
    headline = (f"{gate_headline(record)}{about}", style)
    reasons = (f"\n      {reason}" for reason in sentences(gate.reasons))
    console.print(Text.assemble(headline, *reasons))


def _show_answers(console: Console, record: AuditRecord) -> None:
    """Print the answer for each prompt."""
    for prompt in record.prompts:
        said = " ".join(answer_sentences(record, prompt.name))
        if said:
            about = f"{prompt.name}: " if len(record.prompts) > 1 else ""
            console.print(Text(one_line(f"{about}{said}"), "bold"))


def _show_cause(console: Console, record: AuditRecord) -> None:
    cause = record.cause
    if cause is None:
        return
    console.print(Text.assemble(("cause: ", "bold"), cause_text(record)))
    if lines := fix_code(cause):
        console.print(Text("fix:", "bold"))
        for line in lines:
            console.print(Text(f"  {one_line(line)}"))
    if cause.cost is not None and cause.cost.probes:
        console.print(Text.assemble(("search: ", "bold"), cost_text(cause.cost)))
    if cause.spread is not None:
        console.print(Text.assemble(("spread: ", "bold"), spread_text(cause.spread)))
    for text in sentences(cause.interactions):
        console.print(Text(f"       {text}"))
    for text in sentences(cause.residual_suspects):
        console.print(Text.assemble(("besides the settings: ", "bold"), text))


def _show_contents(console: Console, record: AuditRecord, overview: OverviewRecord) -> None:
    """Print how far the first clip and the judged one show what was asked for, or why that is not known."""
    for found in record.semantics:
        if found.prompt != overview.prompt:
            continue
        if not found.measured:
            hint = f"\n      {found.hint}" if found.hint else ""
            reason = f"what the {nouns().clips} show ({overview.prompt}): {found.reason}{_coded(found.code)}{hint}"
            console.print(Text.assemble(("not measured: ", "bold yellow"), reason))
        for name in dict.fromkeys([overview.selected, overview.judged]):
            agreements = [agreement_text(text, name, record.reference) for text in found.texts if text.of(name)]
            if agreements:
                console.print(Text.assemble(("agreement with ", "bold"), "; ".join(agreements)))


def _show_history(console: Console, history: HistoryRecord) -> None:
    """Print how the audit compares with an earlier one, and which facts changed with it."""
    console.print(Text.assemble((f"compared with {history.against}: ", "bold"), history_text(history)))
    for each in history.variants:
        if each.change in {Change.BETTER, Change.WORSE, Change.OTHER}:
            sides = " → ".join(outcome(*side) for side in (
                (each.verdict_before, each.drift_before), (each.verdict_now, each.drift_now)
            ))  # fmt: skip
            console.print(Text(f"      {each.name} ({each.prompt}): {sides}"))
    for fact in history.facts:
        runs = f" of {', '.join(fact.runs)}" if fact.runs else ""
        sides = " → ".join("not reported" if v is None else one_line(value(v)) for v in (fact.before, fact.now))
        console.print(Text(f"      {fact.subject.value}{runs}, {one_line(fact.name)}: {sides}"))


def _show_notes(console: Console, record: AuditRecord) -> None:
    """Print what keeps the numbers from being trusted, warnings of runs, what was ignored, what was not measured."""
    for warning in record.warnings:
        if not (warning in record.gate.reasons and record.finished) and warning.kind is not FactKind.AUDIT_INTERRUPTED:
            console.print(Text.assemble(("warning: ", "bold yellow"), one_line(sentence(warning))))
    for each in record.run_warnings[:_MOST_WARNINGS]:
        text = one_line(f"{', '.join(each.runs)}: {each.warning}")
        console.print(Text.assemble(("warning: ", "bold yellow"), text))
    if (more := len(record.run_warnings) - _MOST_WARNINGS) > 0:
        console.print(Text(f"         and {more} more, in the report"))
    for found in record.ignored:
        ignored = found.ignored
        text = ignored_text(f"{ignored.argument} = {ignored.value!r}", ignored.given_to, ignored.advice)
        console.print(Text.assemble(("note: ", "bold"), f"{', '.join(found.runs)}: {text}"))
    failures: dict[tuple[str, str, str, str], list[str]] = {}
    for run in record.runs:
        if run.failed:
            failures.setdefault((run.prompt, run.reason, run.code, run.hint), []).append(run.name)
    for (prompt, reason, code, hint), names in failures.items():
        advice = f"\n      {hint}" if hint else ""
        text = f"{', '.join(names)} ({prompt}): {reason}{_coded(code)}{advice}"
        console.print(Text.assemble(("not measured: ", "bold yellow"), text))


def _coded(code: str) -> str:
    """Return the code of a failure as it is appended to its reason; nothing for records without codes."""
    return f" [{code}]" if code else ""


def _compared(record: AuditRecord, overview: OverviewRecord) -> list[ComparisonRecord]:
    """Return the comparisons of baseline and variants, in order of the record."""
    found = {each.candidate: each for each in record.comparisons if each.prompt == overview.prompt}
    return [found[name] for name in _variants(record, overview) if name in found]


def _variants(record: AuditRecord, overview: OverviewRecord) -> list[str]:
    return [name for name in overview.order if not record.run(overview.prompt, name).role.control]


def _again(record: AuditRecord, prompt: str) -> list[tuple[str, str]]:
    """Return what repeating the same showed: here, and on the Space."""
    here = [
        ("re-run", after_colon(paragraph(each.found)))
        for each in record.controls
        if (each.prompt, each.control) == (prompt, Control.RERUN)
    ]
    there = [
        (
            each.candidate,
            "the server's cache answered a second request to the Space, which says nothing of whether it repeats itself"
            if record.run(prompt, each.candidate).cached
            else f"a second request to the Space, compared with the first answer: {each.verdict}",
        )
        for each in record.comparisons
        if each.prompt == prompt and record.run(prompt, each.candidate).role is Role.REPEAT
    ]
    return here + there


def _places(record: AuditRecord, overview: OverviewRecord) -> str:
    """Say in one line where the variants diverge inside the loop, the earliest stage first."""
    loop = next((found for found in record.loops if found.prompt == overview.prompt), None)
    if loop is None or loop.reference is None:
        return ""
    found = [(_place(each), each.runs) for each in loop.divergences] + [("nowhere", loop.identical)]
    variants = set(_variants(record, overview))
    shown = [(place, [name for name in names if name in variants]) for place, names in found]
    parts = "; ".join(f"{place}: {', '.join(names)}" for place, names in shown if names)
    return f"first divergence from {loop.reference.run} {parts}" if parts else ""


def _place(found: DivergenceRecord) -> str:
    """Say where runs diverge; not all stages of those that do not were seen."""
    return "nowhere that can be seen" if found.stage is Stage.NOWHERE else place_of(found)


def _table(record: AuditRecord, title: str, comparisons: Sequence[ComparisonRecord], *, narrow: bool) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("variant", no_wrap=True)
    table.add_column("verdict")
    table.add_column("drift", justify="right")
    metrics = [] if narrow else record.metrics
    for metric in metrics:
        table.add_column(f"{metric.title}\n{metric.unit}".strip(), justify="right", vertical="bottom")
    for comparison in comparisons:
        values = [comparison.metrics.get(metric.name) for metric in metrics]
        table.add_row(
            written_rank(comparison.rank) or "-",
            comparison.candidate,
            Text(comparison.verdict, _STYLES.get(comparison.verdict, "yellow")),
            "-" if comparison.drift is None else f"{comparison.drift:.3f}",
            *(
                "-" if value is None else number(value.pooled, metric)
                for value, metric in zip(values, metrics, strict=True)
            ),
        )
    return table

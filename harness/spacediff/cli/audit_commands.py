"""`spacediff audit`, `compare` and `approve`: call the library, show its progress, and print the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.api import accept_audit, compare_videos, load_scenario, plan_audit, run_audit, run_audits
from spacediff.cli.console import show_error, show_json, show_line
from spacediff.cli.hints import with_option
from spacediff.cli.options import ApproveOptions, AuditOptions, CompareOptions, Verbosity
from spacediff.cli.progress import ProgressBars
from spacediff.cli.summary import show_summary
from spacediff.errors import Exit, SpacediffError
from spacediff.privacy.private_prompts import keep_private
from spacediff.privacy.short_lines import one_line
from spacediff.record.file import record_text
from spacediff.reporting.formats import add_to_job_page
from spacediff.results import AuditResult
from spacediff.wording import history_text

if TYPE_CHECKING:
    from spacediff.scenario.scenario import Scenario


def audit(options: AuditOptions) -> Exit:
    """Run a scenario, or several, whose worst exit code is that of the command."""
    scenarios = [load_scenario(each) for each in options.scenarios]
    for scenario in scenarios:
        keep_private(plan_audit(scenario).private_texts)
    if len(scenarios) > 1:
        return _audit_several(scenarios, options)
    with ProgressBars(options.verbosity) as display:
        result = run_audit(
            scenarios[0],
            out=options.out,
            against=options.against,
            reference_from=options.reference_from,
            listener=display,
            **_terms(options),
        )
    _show(result, options)
    return _code(result, options)


def _audit_several(scenarios: Sequence[Scenario], options: AuditOptions) -> Exit:
    """Audit scenarios, show each result when it is there, and return the worst exit code."""
    worst, texts = Exit.GATE_PASSED, []
    results = run_audits(
        scenarios, out=options.out, listener=(display := ProgressBars(options.verbosity)), **_terms(options)
    )
    try:
        while True:
            with display:
                result = next(results, None)
            if result is None:
                break
            if options.as_json:
                texts.append(record_text(result.record))
            else:
                show_line(f"\n{result.record.title}", error=False)
                _show(result, options)
            worst = max(worst, _code(result, options))
    except SpacediffError as error:  # of one that could not go on; the results of the others are shown
        show_error(with_option(error, options))
        worst = max(worst, error.exit_code)
    if options.as_json:
        show_json(f"[{','.join(texts)}]")
    return worst


def _terms(options: AuditOptions) -> dict[str, Any]:
    """Return the arguments that `run_audit` and `run_audits` have in common."""
    return {
        "only": options.only,
        "budget": options.budget,
        "fresh": options.fresh,
        "reuse": options.reuse,
        "strict": options.strict,
        "approximate": options.approximate,
        "anyway": options.anyway,
        "wait_minutes": options.wait,
        "executor": options.executor,
        "shared_folder": options.shared_folder,
        "stop_without_reference": options.stop_without_reference,
    }


def _code(result: AuditResult, options: AuditOptions) -> Exit:
    if result.strict and result.unmeasured:
        show_line("strict: not everything was measured", error=options.as_json)
    return result.exit_code


def compare(options: CompareOptions) -> Exit:
    """Score two videos or pictures."""
    with ProgressBars(options.verbosity) as display:
        result = compare_videos(
            options.reference,
            options.candidate,
            out=options.out,
            metrics=options.metrics,
            semantics=options.semantics,
            parts=options.parts,
            max_frames=options.max_frames,
            listener=display,
        )
    _show(result, options)
    return Exit.GATE_PASSED


def approve(options: ApproveOptions) -> Exit:
    """Accept the result of an audit."""
    if options.scenario.is_file():
        keep_private(plan_audit(options.scenario).private_texts)
    accepted = accept_audit(options.scenario, out=options.out)
    if accepted.history:
        show_line(f"compared with what was accepted before: {history_text(accepted.history)}")
    for text in accepted.approximations:
        show_line(f"approximate: {one_line(text)}")
    show_line(f"accepted: {accepted.path}")
    show_line("commit it next to the scenario; later audits are compared with it")
    return Exit.GATE_PASSED


def _show(result: AuditResult, options: AuditOptions | CompareOptions) -> None:
    """Print what came out as the options ask for it, and show its page."""
    show_result(result, verbosity=options.verbosity, as_json=options.as_json)
    if options.open_page:
        open_page(result.report)


def show_result(result: AuditResult, *, verbosity: Verbosity = Verbosity.NORMAL, as_json: bool = False) -> None:
    """Print the results of an audit, also to the page of a CI job."""
    if as_json:
        show_json(record_text(result.record))
    else:
        show_summary(result.record, result.report, brief=verbosity is Verbosity.QUIET)
    if warning := add_to_job_page(result.record):  # does not change the exit code
        show_line(warning, error=True)


def open_page(page: Path) -> None:
    """Show a page in the browser; where there is none, say so."""
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        show_line(f"no browser was found to show {page}", error=True)

"""`spacediff audit`, `compare` and `approve`: call the library, show its progress, and print the results."""

from __future__ import annotations

from pathlib import Path

from spacediff.api import accept_audit, compare_videos, load_scenario, plan_audit, run_audit
from spacediff.cli.console import show_json, show_line
from spacediff.cli.options import ApproveOptions, AuditOptions, CompareOptions, Verbosity
from spacediff.cli.progress import Display
from spacediff.cli.summary import show_summary
from spacediff.errors import Exit
from spacediff.privacy.private_prompts import keep_private
from spacediff.privacy.short_lines import one_line
from spacediff.record.file import record_text
from spacediff.reporting.formats import add_to_job_page
from spacediff.results import AuditResult
from spacediff.wording import history_text


def audit(options: AuditOptions) -> Exit:
    """Run a scenario."""
    scenario = load_scenario(options.scenario)
    keep_private(plan_audit(scenario).private_texts)
    with Display(options.verbosity) as display:
        result = run_audit(
            scenario,
            out=options.out,
            only=options.only,
            budget=options.budget,
            fresh=options.fresh,
            reuse=options.reuse,
            strict=options.strict,
            approximate=options.approximate,
            anyway=options.anyway,
            against=options.against,
            wait_minutes=options.wait,
            listener=display,
        )
    _show(result, options)
    if result.strict and result.unmeasured:
        show_line("strict: not everything was measured", error=options.as_json)
    return result.exit_code


def compare(options: CompareOptions) -> Exit:
    """Score two videos or pictures."""
    with Display(options.verbosity) as display:
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

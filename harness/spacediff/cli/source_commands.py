"""`spacediff read` and `why`: print the settings of sources, their differences, and how to correct the script."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api import read_source
from spacediff.api.extra_run import ensure_run
from spacediff.cli.console import show_line, show_text
from spacediff.cli.options import ReadOptions, WhyOptions
from spacediff.cli.reading_table import show_reading
from spacediff.cli.tables import show_differences
from spacediff.errors import Exit
from spacediff.files import write_new
from spacediff.investigation import SourceComparison, compare_sources
from spacediff.measured_difference import measure_difference
from spacediff.privacy.redaction import redact
from spacediff.privacy.short_lines import one_line
from spacediff.reading.markdown import is_markdown
from spacediff.why.beforehand import (
    ensure_script,
    ensure_versions_fit,
    ensure_writable,
    scenario_path,
)

if TYPE_CHECKING:
    from spacediff.why.patch import Advice


def read(options: ReadOptions) -> Exit:
    """List the settings that a source declares."""
    reading = read_source(
        options.source,
        call=options.call,
        block=options.block,
        folder=options.folder,
        arguments=options.arguments,
    )
    if options.format == "json":
        show_text(json.dumps(redact(reading.as_json()), indent=2) + "\n")
    else:
        show_reading(reading)
    return Exit.GATE_PASSED


def why(options: WhyOptions) -> Exit:
    """Compare a script with a Space, and measure which of the differences matter."""
    if not options.plan_only:
        ensure_run("measuring what differs")
    path = scenario_path(options.script, options.scenario)
    ensure_writable(path, options.patch)
    if options.run:
        ensure_script(options.script)
        ensure_versions_fit(versions=options.versions, run=True)
    sources = compare_sources(
        options.script,
        options.space,
        call=options.call,
        space_call=options.space_call,
        block=options.block,
        folder=options.folder,
        arguments=options.arguments,
    )
    if options.plan_only and options.format == "json":
        show_text(json.dumps(redact(sources.as_json()), indent=2) + "\n")
        return _write_plan(sources, options)
    show_differences(sources.compared, sources.advice, sources.calls)
    if options.versions and not sources.hosted_versions:
        show_line("versions: the Space pins none of diffusers and transformers that is not the one here")
    if options.plan_only:
        return _plan(sources, options)
    sources.write_scenario(path, run=_run_with(options), versions=options.versions)
    show_line(f"wrote {path}")
    if is_markdown(options.script):
        show_line(f"{options.script} is pasted code, which is never run: what is measured is this scenario")
    return _measure(sources, path, options)


def _run_with(options: WhyOptions) -> list[str] | None:
    """Return the arguments with which the script is run; None if it is not."""
    return shlex.split(options.arguments or "") if options.run else None


def _plan(sources: SourceComparison, options: WhyOptions) -> Exit:
    """Print the patch for all differences, and write what options ask for."""
    for text in sources.approximations:
        show_line(f"approximate: {one_line(text)}")
    _show_patch(sources.advice)
    return _write_plan(sources, options)


def _write_plan(sources: SourceComparison, options: WhyOptions) -> Exit:
    """Write the patch and the scenario if options ask for them; next to JSON, that is said on standard error."""
    aside = options.format == "json"
    if options.patch and sources.advice.patch:
        write_new(options.patch, sources.advice.patch)
        show_line(f"wrote {options.patch}", error=aside)
    if options.scenario:
        path = sources.write_scenario(options.scenario, run=_run_with(options), versions=options.versions)
        show_line(f"wrote {path}", error=aside)
        show_line(f"look it over, then: spacediff audit {shlex.quote(path.as_posix())}", error=aside)
    return Exit.GATE_PASSED


def _measure(sources: SourceComparison, path: Path, options: WhyOptions) -> Exit:
    """Measure the differences, and print the patch for those that matter."""
    from spacediff.cli.audit_commands import show_result
    from spacediff.cli.progress import ProgressBars

    with ProgressBars(options.verbosity) as display:
        found = measure_difference(
            sources,
            scenario=path,
            patch=options.patch,
            run=_run_with(options),
            versions=options.versions,
            budget=options.budget,
            approximate=options.approximate,
            listener=display,
        )
    show_result(found.audit, verbosity=options.verbosity)
    if found.advice is None:
        show_line("no cause was found, so no change is advised")
        return found.audit.exit_code
    for setting, words in found.advice.by_hand.items():
        show_line(f"change by hand: {setting}: {one_line(words)}")
    _show_patch(found.advice)
    if options.patch and found.advice.patch:
        show_line(f"wrote {options.patch}")
    if found.corrected is None:
        show_line("with the change, the same command checks it: the script itself is the baseline")
    else:
        show_line(f"corrected scenario: {found.corrected}")
    return found.audit.exit_code


def _show_patch(advice: Advice) -> None:
    """Print the patch, or the reason why there is none."""
    if not advice.patch:
        because = f": {one_line(advice.reason)}" if advice.reason else ""
        show_line(f"nothing in the script can be patched{because}")
        return
    folder = one_line(str(advice.folder))
    show_line(f"\nthe patch, for {shlex.quote(one_line(advice.name))} in {folder}: patch -p0 < FILE")
    show_line(advice.patch.removesuffix("\n"))

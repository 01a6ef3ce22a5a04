"""Which differences between a script and a Space matter, and how to correct the script for them.

Measuring generates clips and reduces what was read to the differences that make the clip differ; the corrected scenario
then checks that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api import StrPath, run_audit
from spacediff.api.extra_run import ensure_run
from spacediff.enclosed import enclose_patch, enclose_script
from spacediff.files import write_atomically, write_new
from spacediff.investigation import SourceComparison, compare_sources
from spacediff.results import AuditInterrupted, AuditResult
from spacediff.settings import Settings
from spacediff.why.beforehand import ensure_writable, scenario_path

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spacediff.progress import ProgressListener
    from spacediff.record import CauseRecord
    from spacediff.why.patch import Advice


@dataclass(frozen=True)
class WhyResult:
    """Which differences between a script and a Space make the clip differ.

    Attributes:
        sources: The differences that were read.
        scenario: The scenario that measured them.
        audit: What was measured.
        advice: The changes to the script, for the cause alone; None if no cause was found.
        corrected: The scenario whose baseline is the corrected script, to check the correction; None likewise, and
            where the script itself was run.
    """

    sources: SourceComparison
    scenario: Path
    audit: AuditResult
    advice: Advice | None = field(default=None, repr=False)
    corrected: Path | None = None

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what was measured, and the patch for the cause."""
        from spacediff.reporting.notebook import audit_piece, patch_piece

        return audit_piece(self.audit.record, self.audit.folder) + patch_piece(self.advice)

    @property
    def cause(self) -> CauseRecord | None:
        """What the search found; None if there was nothing to search."""
        return self.audit.record.cause


def measure_difference(
    sources: SourceComparison,
    *,
    scenario: StrPath | None = None,
    patch: StrPath | None = None,
    run: Sequence[str] | None = None,
    versions: bool = False,
    budget: float | None = None,
    approximate: bool = False,
    listener: ProgressListener | None = None,
) -> WhyResult:
    """Measure which of the differences make the clip differ, and how to correct the script.

    Args:
        sources: The differences, from `compare_sources`.
        scenario: Where to write the scenario; by default `why-SCRIPT.toml`. The audit goes into `audits/`.
        patch: Where to write the changes to the script; by default nowhere.
        run: The arguments with which the script itself is run as the baseline; None to generate with the settings that
            were read of it.
        versions: Whether the versions of libraries that the Space pins are suspects, too; each needs an environment,
            which is built.
        budget: The most generations of the search for the cause, of which a run that ends early is a fraction.
        approximate: Whether a scenario that leaves out what the script does is accepted.
        listener: Receives the progress; by default nobody.

    Raises:
        InvalidArgument: The script is to be run and is no `.py`, or would have to run with other versions.
        FileExists: A file to write exists already.
        ScenarioApproximate: The script does what a scenario cannot say, and that is not accepted. The scenario is
            written, with its approximations.
        AuditInterrupted: Ctrl-C; it holds the result so far.
    """
    ensure_run("measuring what differs")
    path = scenario_path(sources.script_name, scenario)
    ensure_writable(path, patch)
    sources.write_scenario(path, run=run, versions=versions)
    try:
        audit = run_audit(path, budget=budget, approximate=approximate, listener=listener)
    except AuditInterrupted as interrupted:
        _enclose_script_of(sources, interrupted.result.folder)
        raise
    _enclose_script_of(sources, audit.folder)
    cause = audit.record.cause
    if cause is None or not cause.finished or not cause.sufficient:
        return WhyResult(sources, path, audit)
    return _corrected(WhyResult(sources, path, audit), cause.sufficient, patch, is_run=run is not None)


def explain_difference(
    script: StrPath,
    space: StrPath,
    *,
    scenario: StrPath | None = None,
    patch: StrPath | None = None,
    versions: bool = False,
    budget: float | None = None,
    approximate: bool = False,
    listener: ProgressListener | None = None,
) -> WhyResult:
    """Compare a script with a Space, and measure which of the differences make the clip differ.

    Does `compare_sources` and `measure_difference` in one call, and checks all arguments before it reads anything.

    Args:
        script: The script as you run it.
        space: `ORG/NAME`, its address, a built-in Space, or a folder or file with its source, whose settings are then
            run on this machine in its place.
        scenario: Where to write the scenario; by default `why-SCRIPT.toml`. The audit goes into `audits/`.
        patch: Where to write the changes to the script; by default nowhere.
        versions: Whether the versions of libraries that the Space pins are suspects, too; each needs an environment,
            which is built.
        budget: The most generations of the search for the cause, of which a run that ends early is a fraction.
        approximate: Whether a scenario that leaves out what the script does is accepted.
        listener: Receives the progress; by default nobody.

    Raises:
        SourceNotReadable: There is no such source, or no pipeline call in it.
        SpaceUnavailable: The Hub does not give the Space's source; the class says why.
        FileExists: A file to write exists already.
        ScenarioApproximate: The script does what a scenario cannot say, and that is not accepted. The scenario is
            written, with its approximations.
        AuditInterrupted: Ctrl-C; it holds the result so far.
    """
    ensure_writable(scenario_path(script, scenario), patch)
    sources = compare_sources(script, space)
    return measure_difference(
        sources,
        scenario=scenario,
        patch=patch,
        versions=versions,
        budget=budget,
        approximate=approximate,
        listener=listener,
    )


def _enclose_script_of(sources: SourceComparison, folder: Path) -> None:
    script = Path(sources.script_name)
    if script.suffix == ".py":
        enclose_script(folder, script)


def _corrected(why: WhyResult, cause: Collection[str], patch: StrPath | None, *, is_run: bool) -> WhyResult:
    """Add advice for the settings of the cause, and write the patch and the corrected scenario.

    A script that is run is its own scenario once it is patched.
    """
    from spacediff.why.patch import advise
    from spacediff.why.prompt_inputs import files_beside
    from spacediff.why.scenario_writer import corrected_text

    read = why.sources
    asked = read.hosted_versions
    versions = Settings({path: asked[path] for path in cause if path in asked})
    rows = [row.path for row in read.compared.differences]
    # of an adapter that one side does not load, the cause names the whole
    cause = [path for path in rows if any(path == each or path.startswith(f"{each}.") for each in cause)]
    advice = advise(read.script_name, read.script, read.space, read.compared, only=cause, ask=True)
    if advice.patch:
        enclose_patch(why.audit.folder, advice.patch)
    by_hand = {path: f"install {path.partition('.')[2]}=={each.value}" for path, each in versions.items()}
    advice = replace(advice, by_hand={**advice.by_hand, **by_hand})
    if patch is not None and advice.patch:
        write_new(Path(patch), advice.patch)
    if is_run:
        return WhyResult(read, why.scenario, why.audit, advice)
    corrected = why.audit.folder / "corrected.toml"
    find = files_beside(Path(read.script_name), corrected.parent, read.script.unturned)
    text = corrected_text(read.compared, read.script, read.space, read.hosted, cause, find=find, versions=versions)
    write_atomically(corrected, text)
    return WhyResult(read, why.scenario, why.audit, advice, corrected)

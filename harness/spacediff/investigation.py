"""Why a script and a Space differ: read both, compare, measure which differences matter, correct the script.

Reading takes seconds and proposes a change for every difference. Measuring generates clips and reduces the proposal to
the differences that make the clip differ; the corrected scenario then checks that.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.api import StrPath, run_audit
from spacediff.api.extra_run import ensure_run
from spacediff.enclosed import enclose_patch, enclose_script
from spacediff.errors import InvalidArgument
from spacediff.files import write_atomically, write_new
from spacediff.results import AuditInterrupted, AuditResult
from spacediff.settings import Settings
from spacediff.why.beforehand import (
    ensure_script,
    ensure_versions_fit,
    ensure_writable,
    scenario_path,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spacediff.progress import ProgressListener
    from spacediff.reading.model import Reading
    from spacediff.record import CauseRecord
    from spacediff.why.candidate_calls import ComparedCall
    from spacediff.why.compared import ComparedSettings, SourceDifference
    from spacediff.why.patch import Advice


@dataclass(frozen=True)
class SourceComparison:
    """What a script and a Space set differently.

    Attributes:
        script: What was read of the script.
        space: What was read of the Space.
        compared: The settings that differ, with what is known about each.
        advice: How to change the script so that it sets what the Space sets.
        calls: Where a source has several calls that may be the main one, each of them compared with the other source.
        script_name: The script, as it was named.
        space_name: The Space, as it was named.
    """

    script: Reading = field(repr=False)
    space: Reading = field(repr=False)
    compared: ComparedSettings = field(repr=False)
    advice: Advice = field(repr=False)
    calls: Sequence[ComparedCall] = field(repr=False)
    script_name: str
    space_name: str

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the headline, the settings that differ, and the patch."""
        from spacediff.reporting.notebook import sources_piece

        return sources_piece(self.headline, self.compared, self.advice, self.approximations)

    @property
    def decided(self) -> bool:
        """Whether enough was read of both sides to say what differs, or that nothing does."""
        return self.compared.decided

    @property
    def headline(self) -> str:
        """What was found, how sure that is, and how much of each side was read, in one or two sentences."""
        from spacediff.why.headline import headline

        return headline(self.compared)

    @property
    def differences(self) -> Sequence[SourceDifference]:
        """The settings that differ for certain, the likeliest cause first."""
        return self.compared.differences

    @property
    def hosted(self) -> str:
        """The Space that is asked for its clip; empty for source code, whose settings are run in its place."""
        from spacediff.space_side import space_side

        return space_side(self.space_name).hosted

    @property
    def hosted_versions(self) -> Settings:
        """Versions of diffusers and transformers that the Space pins and this machine does not have, as settings."""
        from spacediff.why.versions import version_settings

        return version_settings(self.space)

    @property
    def approximations(self) -> Sequence[str]:
        """What the script does and the scenario does not say, one sentence each; an audit stops at them."""
        from spacediff.plan import approximation_facts
        from spacediff.scenario.scenario import parse_scenario
        from spacediff.wording import sentences

        return sentences(approximation_facts(parse_scenario(self.scenario_text(), Path("why.toml"))))

    def as_json(self) -> dict[str, Any]:
        """Return everything that the comparison says as JSON objects and lists."""
        from spacediff.why.comparison_json import comparison_json

        return comparison_json(self.compared, self.advice, self.calls)

    def scenario_text(self, folder: StrPath = ".", *, run: Sequence[str] | None = None, versions: bool = False) -> str:
        """Return the scenario that measures the differences, as TOML.

        Args:
            folder: The folder of the scenario, from which the paths of input pictures and videos start.
            run: The arguments with which the script itself is the baseline; None for the settings that were read of it.
            versions: Whether the variant also has the versions of `hosted_versions`.

        Raises:
            InvalidArgument: The script is to be run and is no `.py`, or its prompt could not be read, or it would have
                to run with other versions.
        """
        from spacediff.why.prompt_inputs import files_beside
        from spacediff.why.scenario_writer import scenario_text, script_text

        find = files_beside(Path(self.script_name), Path(folder), self.script.unturned)
        if run is not None:
            self._ensure_runnable()
            ensure_versions_fit(versions=versions, run=True)
            baseline = {"script": _from_folder(self.script_name, folder), **({"args": list(run)} if run else {})}
            return script_text(self.compared, self.script, self.space, self.hosted, baseline=baseline, find=find)
        asked = self.hosted_versions if versions else Settings()
        return scenario_text(self.compared, self.script, self.space, self.hosted, find, versions=asked)

    def _ensure_runnable(self) -> None:
        ensure_script(self.script_name)
        if not str(self.script.settings.value("call.prompt") or "").strip():
            raise InvalidArgument(
                f"the prompt of {self.script_name} could not be read, and the Space needs it",
                hint="write a scenario with baseline.script and the prompt by hand",
            )

    def write_scenario(self, path: StrPath, *, run: Sequence[str] | None = None, versions: bool = False) -> Path:
        """Write that scenario into a new file.

        Args:
            path: The file.
            run: The arguments with which the script itself is the baseline; None for the settings that were read of it.
            versions: Whether the variant also has the versions of `hosted_versions`.

        Raises:
            InvalidArgument: The script is to be run and is no `.py`, or its prompt could not be read, or it would have
                to run with other versions.
            FileExists: There is a different file already.
            FileNotAccessible: The file cannot be written.
        """
        written = Path(path)
        write_new(written, self.scenario_text(written.parent, run=run, versions=versions))
        return written


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


def compare_sources(
    script: StrPath,
    space: StrPath,
    *,
    call: str | int = "",
    space_call: str | int = "",
    block: int = 0,
    folder: StrPath = "",
    arguments: str | None = None,
) -> SourceComparison:
    """Read a script and a Space and compare their settings, without running or generating anything.

    Defaults of the installed diffusers and of the checkpoint are included where a source says nothing. Where a source
    asks for an accelerator, the script's answer is that of this machine, and the Space's that of its hardware.

    Args:
        script: The script as you run it.
        space: `ORG/NAME`, the address of the Space's page, a built-in Space, or a folder or file with its source.
        call: Line, or `FILE:LINE`, of the script's call that is compared; by default its main call.
        space_call: Likewise for the Space.
        block: The number of a code block, from 1, if the script is a Markdown file; 0 for its only script.
        folder: Where the command is run that `script` is, or that stands in a Markdown file.
        arguments: The arguments of the script, as a shell takes them; None if they are unknown.

    Raises:
        InvalidArgument: There is no built-in Space of this name.
        SourceNotReadable: There is no such source, or no pipeline call in it.
        CallNotFound: No pipeline is called at that line.
        BlockNotChosen: Several scripts of a Markdown file call a pipeline, or that block has no code.
        SpaceUnavailable: The Hub does not give the Space's source; the class says why.
    """
    from spacediff.catalogue.pipelines import GENERIC
    from spacediff.reading.machine_look_up import hosted_on, this_machine
    from spacediff.reading.sources import read_any
    from spacediff.space_side import space_side
    from spacediff.why.candidate_calls import candidates, compare_each, with_doubt
    from spacediff.why.compared import SCRIPT, SPACE
    from spacediff.why.differences import compare_sources as compare_readings
    from spacediff.why.patch import Advice, advise

    def read_script(at: str) -> Reading:
        return read_any(
            str(script), look_up=this_machine, call=at, block=block, folder=str(folder), arguments=arguments
        )

    side = space_side(str(space))

    def read_hosted(at: str) -> Reading:
        return side.known(read_any(side.source, like, look_up=hosted_on(hardware=""), call=at))

    ours = read_script(str(call))
    pipeline = str(ours.settings.value("model.pipeline"))
    like = "" if pipeline in GENERIC else pipeline
    theirs = read_hosted(str(space_call))
    compared = compare_readings(ours, theirs, ask=True)
    calls = [
        *compare_each(
            SCRIPT,
            [] if call else candidates(ours),
            lambda at: compare_readings(read_script(at), theirs, ask=True),
        ),
        *compare_each(
            SPACE,
            [] if space_call else candidates(theirs, like),
            lambda at: compare_readings(ours, read_hosted(at), ask=True),
        ),
    ]
    compared = with_doubt(compared, calls)
    if compared.decided or (not calls and compared.calls_are_known):
        advice = advise(str(script), ours, theirs, compared, ask=True)
    else:
        advice = Advice(reason="which calls are compared is not decided")
    return SourceComparison(ours, theirs, compared, advice, calls, str(script), str(space))


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


def _from_folder(script: StrPath, folder: StrPath) -> str:
    """Return the path of a script from a scenario's folder; the absolute one from another drive."""
    try:
        return Path(os.path.relpath(script, folder)).as_posix()
    except ValueError:
        return Path(script).absolute().as_posix()


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

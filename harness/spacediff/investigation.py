"""What a script and a Space set differently: both are read and compared, which takes seconds and runs nothing.

A change to the script is proposed for every difference; `spacediff.measured_difference` reduces that to those that
matter.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.api import StrPath
from spacediff.errors import InvalidArgument
from spacediff.files import write_new
from spacediff.settings import Settings
from spacediff.why.beforehand import ensure_script, ensure_versions_fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacediff.reading.model import Reading
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


def _from_folder(script: StrPath, folder: StrPath) -> str:
    """Return the path of a script from a scenario's folder; the absolute one from another drive."""
    try:
        return Path(os.path.relpath(script, folder)).as_posix()
    except ValueError:
        return Path(script).absolute().as_posix()

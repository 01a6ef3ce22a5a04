"""Plan the runs that a scenario needs.

Runs are plain data: they can be sent to another process or another machine, and equal runs are executed once.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

from spacediff.errors import UnknownName, nearest_name
from spacediff.privacy.private_prompts import texts_in
from spacediff.record import Fact, FactKind, Role, fact
from spacediff.run import Prompt, Run
from spacediff.scenario.checks import PLACEHOLDERS
from spacediff.scenario.paths import absolute_path, is_path
from spacediff.scenario.scenario import Gate, Scenario
from spacediff.scenario.tables import DETECTOR, TEMPLATE, Approximation, VideoReference
from spacediff.settings import Origin, Settings


@dataclass(frozen=True)
class Explanation:
    """The two runs between which the cause is searched.

    Attributes:
        start: Name of the run to explain.
        target: Name of the run to reproduce.
        start_settings: Declared Settings of the first.
        target_settings: Declared Settings of the second.
        budget: The largest number of clips to generate.
    """

    start: str
    target: str
    start_settings: Settings
    target_settings: Settings
    budget: int


@dataclass(frozen=True)
class Semantics:
    """The model that measures what clips show, and what it looks for.

    Attributes:
        model: Folder or Hub id of a CLIP checkpoint.
        parts: Prompt name to the named parts of the prompt.
        revision: Branch, tag or commit on the Hub; None for the default.
        template: The text for a part; `{part}` is replaced by its name.
    """

    model: str
    parts: Mapping[str, tuple[str, ...]]
    revision: str | None = None
    template: str = TEMPLATE

    def texts(self, prompt: Prompt) -> dict[str, str]:
        """Return the texts to look for, by part; the whole prompt, if there is one, has an empty name.

        The parts of a private prompt have numbers instead of names.
        """
        whole = {"": prompt.text} if prompt.text else {}
        parts = enumerate(self.parts.get(prompt.name, ()), 1)
        template = "{part}" if self.model == DETECTOR else self.template  # the tiny detector knows words, not sentences
        return whole | {f"part {n}" if prompt.private else part: template.replace("{part}", part) for n, part in parts}


@dataclass(frozen=True)
class Plan:
    """What an audit has to do.

    Attributes:
        title: The title of the report.
        question: The question that the audit answers.
        command: The shell command that repeats the audit.
        prompts: The prompts.
        runs: The runs, each once, the hosted ones first.
        reference: Name of the run that the others of its prompt are compared with.
        gate: The condition under which the audit passes; None for no gate.
        metrics: Names of additional metrics.
        semantics: The model that measures what the clips show; None for no such measurement.
        explain: The two runs between which the cause is searched; None for no search.
        keep_latents: Whether the latents of each step are kept.
        scenario: The scenario's text; empty for a comparison of files.
        scenario_name: Its file name, without its folder.
        approximations: What the script does and the scenario does not say.
    """

    title: str
    question: str
    command: str
    prompts: tuple[Prompt, ...]
    runs: tuple[Run, ...]
    reference: str
    gate: Gate | None = None
    metrics: tuple[str, ...] = ()
    semantics: Semantics | None = None
    explain: Explanation | None = None
    keep_latents: bool = True
    scenario: str = ""
    scenario_name: str = ""
    approximations: tuple[Fact, ...] = ()

    @property
    def private_texts(self) -> tuple[str, ...]:
        """Texts that must not be shown: private prompts, their named parts, and other prompts of runs and Spaces."""
        hidden = [prompt for prompt in self.prompts if prompt.private]
        texts = [prompt.text for prompt in hidden]
        texts += [part for prompt in hidden if self.semantics for part in self.semantics.parts.get(prompt.name, ())]
        for run in self.runs if hidden else ():
            declared = {path: each.value for path, each in [*run.settings.items(), *run.changes.items()]}
            for asked in (declared, run.request.get("inputs", {})):
                texts += (text for name, v in asked.items() if "prompt" in name for text in texts_in(v))
        return tuple(dict.fromkeys(text for text in texts if text not in PLACEHOLDERS))


def plan_scenario(
    scenario: Scenario, only: Iterable[str] = (), *, budget: int | None = None, command: str = ""
) -> Plan:
    """Plan a scenario.

    Args:
        scenario: The scenario.
        only: Variants to measure, together with baseline, reference and controls; all variants if empty.
        budget: The largest number of clips to generate in search of the cause; by default the scenario's.
        command: The shell command that repeats the audit; by default without options.

    Raises:
        UnknownName: `only` names a variant that the scenario does not have.
    """
    wanted = _wanted(scenario, tuple(only))
    prompts = tuple(
        Prompt(name, prompt.text, prompt.seed, scenario.private or prompt.private)
        for name, prompt in scenario.prompts.items()
    )
    return Plan(
        title=scenario.title,
        question=scenario.question or "Does this machine give the same clip as the reference, and if not, why not?",
        command=command or f"spacediff audit {shlex.quote(scenario.path.name)}",
        prompts=prompts,
        runs=tuple(run for prompt in prompts for run in _runs_of(scenario, prompt, wanted)),
        reference=scenario.reference.variant or "reference",
        gate=scenario.gate,
        metrics=tuple(scenario.metrics),
        semantics=_semantics(scenario),
        explain=_explanation(scenario, wanted, budget),
        keep_latents=scenario.steps.keep_latents,
        scenario=scenario.text,
        scenario_name=scenario.path.name,
        approximations=tuple(_approximated(each) for each in scenario.approximations),
    )


def plan_files(
    reference: Path,
    candidate: Path,
    metrics: Iterable[str] = (),
    *,
    command: str = "",
    semantics: str = "",
    parts: Iterable[str] = (),
) -> Plan:
    """Plan the comparison of two video files. It has no scale, since there are no clips of other seeds.

    Args:
        reference: The reference.
        candidate: The video to compare with it.
        metrics: Names of additional metrics.
        command: The shell command that repeats the comparison; by default without options.
        semantics: Folder or Hub id of a CLIP checkpoint that measures what the frames show; empty for none.
        parts: The named parts that it looks for.
    """
    prompt = Prompt("files", "", 0)
    return Plan(
        title=f"{candidate.name} against {reference.name}",
        question="Do these two videos show the same frames?",
        command=command or f"spacediff compare {shlex.quote(reference.name)} {shlex.quote(candidate.name)}",
        prompts=(prompt,),
        runs=(
            _file_run("reference", Role.REFERENCE, prompt, reference),
            _file_run("candidate", Role.VARIANT, prompt, candidate),
        ),
        reference="reference",
        metrics=tuple(metrics),
        semantics=Semantics(_model(semantics), {prompt.name: tuple(parts)}) if semantics else None,
    )


def _model(name: str) -> str:
    """Return a model's id, or its folder's absolute path."""
    return absolute_path(name, Path.cwd()) if is_path(name) else name


def _approximated(each: Approximation) -> Fact:
    given = {"setting": each.setting, "value": each.value, "where": each.where, "reason": each.reason or ""}
    return fact(FactKind.APPROXIMATED, **given)


def _semantics(scenario: Scenario) -> Semantics | None:
    asked = scenario.semantics
    if asked is None:
        return None
    parts = {name: asked.parts if prompt.parts is None else prompt.parts for name, prompt in scenario.prompts.items()}
    return Semantics(asked.model, parts, asked.revision, asked.template)


def _explanation(scenario: Scenario, wanted: list[str], budget: int | None) -> Explanation | None:
    """Return the search that the scenario asks for; None if `only` excludes one of its two runs."""
    asked = scenario.explain
    if asked is None or not {asked.from_, asked.to} <= {"baseline", *wanted}:
        return None
    start, target = scenario.settings_of(asked.from_), scenario.settings_of(asked.to)
    return Explanation(asked.from_, asked.to, start, target, asked.budget if budget is None else budget)


def _wanted(scenario: Scenario, only: tuple[str, ...]) -> list[str]:
    names = scenario.variant_names()
    for name in only:
        if name not in names and name != "baseline":
            near = nearest_name(name, names)
            raise UnknownName(
                f"the scenario has no variant {name!r}" + (f"; did you mean {near!r}?" if near else ""),
                hint=f"its variants are {', '.join(names) or 'none'}",
            )
    kept = [name for name in names if not only or name in only]
    reference = scenario.reference.variant
    return kept if reference is None or reference in {"baseline", *kept} else [*kept, reference]


def _runs_of(scenario: Scenario, prompt: Prompt, variants: list[str]) -> list[Run]:
    baseline = scenario.settings_of("baseline")
    hosted = _hosted(scenario, prompt)
    runs = [Run("baseline", Role.BASELINE, prompt, "diffusers", baseline)]
    runs += [
        Run(name, Role.VARIANT, prompt, "diffusers", scenario.settings_of(name), scenario.changes_of(name))
        for name in variants
    ]
    if scenario.scale.rerun:
        runs.append(Run("rerun", Role.RERUN, prompt, "diffusers", baseline, repeat=1))
    for seed in islice(_other_seeds(prompt, [run.settings for run in runs]), scenario.scale.seeds):
        change = Settings.of({"rng": {"seed": seed}}, Origin.DECLARED, "the scale")
        runs.append(Run(f"seed-{seed}", Role.SEED, prompt, "diffusers", baseline.changed_by(change), change))
    fed_by = scenario.settings_of(scenario.steps.against)
    runs += [
        replace(run, name=f"{run.name}-alone", role=Role.STEPS, fed_by=fed_by, fed_from=scenario.steps.against)
        for run in runs
        if run.name in scenario.steps.alone and run.role in {Role.BASELINE, Role.VARIANT}
    ]
    needed = hosted[0].name if hosted else ""
    return [*hosted, *(replace(run, against=needed) for run in runs)]


def _other_seeds(prompt: Prompt, used: Iterable[Settings]) -> Iterator[int]:
    """Yield seeds that no run of the prompt uses, upwards from the prompt's seed, with 0 after the largest seed."""
    taken = {prompt.seed, *(settings.value("rng.seed") for settings in used)}
    return (seed for n in count(1) if (seed := (prompt.seed + n) % 2**63) not in taken)


def _hosted(scenario: Scenario, prompt: Prompt) -> list[Run]:
    reference = scenario.reference
    if reference.space is not None:
        request = reference.space.model_dump(mode="json", exclude={"repeats"}, exclude_none=True)
        first = Run("reference", Role.REFERENCE, prompt, "space", request=request)
        again = range(2, reference.space.repeats + 1)
        return [first, *(replace(first, name=f"reference-{n}", role=Role.REPEAT, repeat=n) for n in again)]
    if reference.video is not None:
        return [_file_run("reference", Role.REFERENCE, prompt, _video_of(reference.video, prompt))]
    return []


def _file_run(name: str, role: Role, prompt: Prompt, file: Path) -> Run:
    return Run(name, role, prompt, "video", request={"file": file.as_posix(), **_stamp(file)})


def _video_of(video: VideoReference, prompt: Prompt) -> Path:
    return Path(video.files.get(prompt.name) or video.file or "")


def _stamp(file: Path) -> dict[str, int]:
    """Return the size and the modification time of a file, by which a changed file is noticed."""
    try:
        status = file.stat()
    except OSError:
        return {}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}

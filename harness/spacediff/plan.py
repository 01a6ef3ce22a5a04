"""Plan the runs that a scenario needs.

Runs are plain data: they can be sent to another process or another machine, and equal runs are executed once.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import Any, Literal

from spacediff.errors import UnknownName, did_you_mean
from spacediff.inputs.files import Input, identified
from spacediff.privacy.private_prompts import texts_in, texts_of_arguments
from spacediff.programs import request_of
from spacediff.record import Fact, FactKind, Role, fact
from spacediff.recordings.beforehand import ensure_usable
from spacediff.recordings.identity import script_request
from spacediff.reference_runs import file_run, recorded_seeds, runs_of_reference
from spacediff.run import Prompt, Run
from spacediff.sampling import with_samples
from spacediff.scenario.checks import PLACEHOLDERS
from spacediff.scenario.paths import absolute_path, is_path
from spacediff.scenario.scenario import Gate, Scenario
from spacediff.scenario.tables.approximation import Approximation
from spacediff.scenario.tables.resources import Resources
from spacediff.scenario.tables.semantics import DETECTOR, TEMPLATE
from spacediff.settings import Origin, Settings


@dataclass(frozen=True)
class AskedTolerance:
    """How much the output may differ from the target and still count as the same to people.

    Attributes:
        drift: A drift, applied to the worst tile; None for the codec's own loss.
        of_gate: Whether it is the gate's.
    """

    drift: float | None = None
    of_gate: bool = False


@dataclass(frozen=True)
class Explanation:
    """The two runs between which the cause is searched.

    Attributes:
        start: Name of the run to explain.
        target: Name of the run to reproduce.
        start_settings: Declared Settings of the first.
        target_settings: Declared Settings of the second.
        budget: The most generations of the search, as denoising steps by those of a whole one.
        tolerance: What counts as a difference that people see.
        reruns: How often the first steps are run again, on a machine whose re-runs differ.
        weights: Whether exact weights of the members are computed: `auto` where a generation is cheap.
    """

    start: str
    target: str
    start_settings: Settings
    target_settings: Settings
    budget: float
    tolerance: AskedTolerance = AskedTolerance()
    reruns: int = 5
    weights: Literal["auto", "full", "none"] = "auto"


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
        grouped: Whether groups of clips are compared, because seeds cannot match.
        deterministic_control: Whether the baseline is run twice with deterministic algorithms where its re-run differs.
        anyway: Whether the audit begins although the machine is too small.
        adopt: Whether local runs use what a Space says it used in place of what it was asked for.
        used: Prompt name to what its local runs are generated from, where that is not the prompt as it was asked for.
        instead: What the reference used in place of what it was asked for; see `spacediff.adoption`.
        resources: What a run occupies on a machine of a cluster, and the CPU threads of torch.
        stop_without_reference: Whether nothing is generated for a prompt whose reference is unavailable.
        without_reference: Names of the prompts whose reference is unavailable, and whose local runs are generated.
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
    grouped: bool = False
    deterministic_control: bool = False
    anyway: bool = False
    adopt: bool = True
    used: Mapping[str, Prompt] = field(default_factory=dict)
    instead: tuple[Fact, ...] = ()
    resources: Resources = field(default_factory=Resources)
    stop_without_reference: bool = False
    without_reference: frozenset[str] = frozenset()

    @property
    def private_texts(self) -> tuple[str, ...]:
        """Texts that must not be shown: private prompts, their parts, and other prompts of runs, Spaces and scripts."""
        hidden = [prompt for prompt in self.prompts if prompt.private]
        texts = [prompt.text for prompt in hidden]
        texts += [part for prompt in hidden if self.semantics for part in self.semantics.parts.get(prompt.name, ())]
        for run in self.runs if hidden else ():
            of_program = Settings.of(run.request.get("settings", {}), Origin.DECLARED)
            all_settings = (run.settings, run.changes, of_program)
            declared = {path: each.value for settings in all_settings for path, each in settings.items()}
            given = run.request.get("arguments", {})
            for asked in (declared, run.request.get("inputs", {}), given if isinstance(given, Mapping) else {}):
                texts += (text for name, v in asked.items() if "prompt" in name for text in texts_in(v))
            texts += () if isinstance(given, Mapping) else texts_of_arguments(given)
        return tuple(dict.fromkeys(text for text in texts if text not in PLACEHOLDERS))


def plan_scenario(
    scenario: Scenario, only: Iterable[str] = (), *, budget: float | None = None, command: str = ""
) -> Plan:
    """Plan a scenario.

    Args:
        scenario: The scenario.
        only: Variants to measure, together with baseline, reference and controls; all variants if empty.
        budget: The most generations of the search for the cause; by default the scenario's.
        command: The shell command that repeats the audit; by default without options.

    Raises:
        UnknownName: `only` names a variant that the scenario does not have.
        InputUnusable: An input picture or video cannot be read.
        ScenarioError: The interpreter of the script does not start, or a recording cannot be the reference.
    """
    wanted = _wanted(scenario, tuple(only))
    ensure_usable(scenario)
    prompts = tuple(
        Prompt(name, prompt.text or "", prompt.seed, scenario.private or prompt.private, _inputs(prompt.inputs))
        for name, prompt in scenario.prompts.items()
    )
    given = scenario.baseline
    folder = scenario.path.parent.absolute()
    script = script_request(given.script, folder, given.args, given.call, given.python) if given.script else {}
    named = scenario.reference.command
    program = request_of(named, scenario.path.parent) if named else {}
    explained = _explanation(scenario, wanted, budget)
    runs = [run for prompt in prompts for run in _runs_of(scenario, prompt, wanted, script, program)]
    return Plan(
        title=scenario.title,
        question=scenario.question or "Does this machine give the same output as the reference, and if not, why not?",
        command=command or f"spacediff audit {shlex.quote(scenario.path.name)}",
        prompts=prompts,
        runs=tuple(_with_target(runs, explained.target) if explained else runs),
        reference=scenario.reference.variant or "reference",
        gate=scenario.gate,
        metrics=tuple(scenario.metrics),
        semantics=_semantics(scenario),
        explain=explained,
        keep_latents=scenario.steps.keep_latents,
        scenario=scenario.text,
        scenario_name=scenario.path.name,
        approximations=approximation_facts(scenario),
        grouped=scenario.samples is not None,
        deterministic_control=scenario.scale.deterministic_control,
        adopt=scenario.reference.adopt,
        resources=scenario.resources,
    )


def tried_anyway(plan: Plan) -> Plan:
    """Return a plan whose runs are tried although the machine is too small for them."""
    return replace(plan, anyway=True, runs=tuple(replace(run, anyway=True) for run in plan.runs))


def approximation_facts(scenario: Scenario) -> tuple[Fact, ...]:
    """Return what the script, or the Space that a variant stands for, does and a scenario does not say."""
    return tuple(_approximated(each) for each in scenario.approximations)


def _inputs(files: Mapping[str, Path | tuple[Path, ...]]) -> tuple[Input, ...]:
    return tuple(identified(name, paths) for name, paths in files.items())


def plan_files(
    reference: Path,
    candidate: Path,
    metrics: Iterable[str] = (),
    *,
    command: str = "",
    semantics: str = "",
    parts: Iterable[str] = (),
    max_frames: int | None = None,
) -> Plan:
    """Plan the comparison of two files or recordings. It has no scale, since there are no clips of other seeds.

    Args:
        reference: The reference.
        candidate: The video to compare with it.
        metrics: Names of additional metrics.
        command: The shell command that repeats the comparison; by default without options.
        semantics: Folder or Hub id of a CLIP checkpoint that measures what the frames show; empty for none.
        parts: The named parts that it looks for.
        max_frames: How many frames of each video are compared at most; None for all.
    """
    prompt = Prompt("files", "", 0)
    runs = (
        file_run("reference", Role.REFERENCE, prompt, reference),
        file_run("candidate", Role.VARIANT, prompt, candidate),
    )
    return Plan(
        title=f"{candidate.name} against {reference.name}",
        question="Do these two files show the same pictures?",
        command=command or f"spacediff compare {shlex.quote(reference.name)} {shlex.quote(candidate.name)}",
        prompts=(prompt,),
        runs=tuple(_first_frames_of(run, max_frames) for run in runs),
        reference="reference",
        metrics=tuple(metrics),
        semantics=Semantics(_model(semantics), {prompt.name: tuple(parts)}) if semantics else None,
    )


def _first_frames_of(run: Run, most: int | None) -> Run:
    """Return a run that takes so many frames of its video at most; a recording is as long as its call."""
    return run if most is None or run.source != "video" else replace(run, request={**run.request, "max_frames": most})


def _model(name: str) -> str:
    """Return a model's id, or its folder's absolute path."""
    return absolute_path(name, Path.cwd()) if is_path(name) else name


def _approximated(each: Approximation) -> Fact:
    given = {"setting": each.setting, "value": each.value, "where": each.where, "reason": each.reason or ""}
    kind = FactKind.APPROXIMATED if each.of == "script" else FactKind.SPACE_APPROXIMATED
    return fact(kind, **given)


def _semantics(scenario: Scenario) -> Semantics | None:
    asked = scenario.semantics
    if asked is None:
        return None
    parts = {name: asked.parts if prompt.parts is None else prompt.parts for name, prompt in scenario.prompts.items()}
    return Semantics(asked.model, parts, asked.revision, asked.template)


def _explanation(scenario: Scenario, wanted: list[str], budget: float | None) -> Explanation | None:
    """Return the search that the scenario asks for; None if `only` excludes one of its two runs."""
    asked = scenario.explain
    if asked is None or not {asked.from_, asked.to} <= {"baseline", *wanted}:
        return None
    start, target = scenario.settings_of(asked.from_), scenario.settings_of(asked.to)
    most = asked.budget if budget is None else budget
    tolerance = _tolerance(asked.tolerance, scenario.gate)
    return Explanation(asked.from_, asked.to, start, target, most, tolerance, scenario.scale.reruns, asked.weights)


def _tolerance(asked: str | float, gate: Gate | None) -> AskedTolerance:
    if asked == "gate" and gate is not None:
        return AskedTolerance(gate.max_drift if gate.tile_limit is None else gate.tile_limit, of_gate=True)
    return AskedTolerance() if isinstance(asked, str) else AskedTolerance(asked)


def _with_target(runs: Sequence[Run], name: str) -> list[Run]:
    """Mark the target of the search on the first prompt, and what is the same run under another name."""
    target = next(run for run in runs if run.name == name)
    same = (target.prompt, target.source, target.settings.digest(), target.repeat, target.fed_by)

    def is_same(run: Run) -> bool:
        return (run.prompt, run.source, run.settings.digest(), run.repeat, run.fed_by) == same

    return [replace(run, is_target=True) if is_same(run) else run for run in runs]


def _wanted(scenario: Scenario, only: tuple[str, ...]) -> list[str]:
    names = scenario.variant_names()
    for name in only:
        if name not in names and name != "baseline":
            raise UnknownName(
                f"the scenario has no variant {name!r}{did_you_mean(name, names)}",
                hint=f"its variants are {', '.join(names) or 'none'}",
            )
    kept = [name for name in names if not only or name in only]
    reference = scenario.reference.variant
    return kept if reference is None or reference in {"baseline", *kept} else [*kept, reference]


def _runs_of(
    scenario: Scenario, prompt: Prompt, variants: list[str], script: Mapping[str, Any], program: Mapping[str, Any]
) -> list[Run]:
    baseline = scenario.settings_of("baseline")
    hosted = runs_of_reference(scenario, prompt, program)
    usual = Run("baseline", Role.BASELINE, prompt, "script" if script else "diffusers", baseline, request=script)
    runs = [usual]
    runs += [
        replace(
            usual, name=name, role=Role.VARIANT, settings=scenario.settings_of(name), changes=scenario.changes_of(name)
        )
        for name in variants
    ]
    if scenario.scale.rerun:
        runs.append(replace(usual, name="rerun", role=Role.RERUN, repeat=1))
    used = {*(run.settings.value("rng.seed") for run in runs), *recorded_seeds(hosted)}
    for seed in islice(other_seeds(prompt.seed, used), scenario.scale.seeds):
        change = Settings.of({"rng": {"seed": seed}}, Origin.DECLARED, "the scale")
        changed = baseline.changed_by(change)
        runs.append(replace(usual, name=f"seed-{seed}", role=Role.SEED, settings=changed, changes=change))
    against = scenario.steps.against
    fed: dict[str, Any] = {"fed_from": against}
    fed |= {"request": hosted[0].request} if against == "reference" else {"fed_by": scenario.settings_of(against)}
    runs += [
        replace(run, name=f"{run.name}-alone", role=Role.STEPS, **fed)
        for run in runs
        if run.name in scenario.steps.alone and run.role in {Role.BASELINE, Role.VARIANT}
    ]
    needed = hosted[0].name if hosted else scenario.reference.variant or ""
    planned = [*hosted, *(run if run.name == needed else replace(run, against=needed) for run in runs)]
    if scenario.samples is None:
        return planned
    return with_samples(planned, scenario.reference.variant or "reference", scenario.samples)


def other_seeds(usual: int, used: Collection[Any]) -> Iterator[int]:
    """Yield seeds that no run of a prompt uses, upwards from its own seed, with 0 after the largest seed.

    Args:
        usual: The prompt's seed.
        used: Other seeds in use; other values among them are nobody's.
    """
    taken = {usual, *used}
    return (seed for n in count(1) if (seed := (usual + n) % 2**63) not in taken)

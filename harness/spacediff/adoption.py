"""Adoption: what a Space used in place of what it was asked for is what the runs of this machine are generated from.

The key insight: a clip of another seed or another text says nothing of the settings, however it compares. Where the
Space says what it used, the same can be asked of this machine, so this comes after the reference is fetched and before
anything is generated. Where it does not say, or the scenario does not want it, the reason stands in place of a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from spacediff.errors import InputUnusable, SpaceApiMismatch, SpaceNotFound
from spacediff.plan import Plan, other_seeds
from spacediff.record import Fact, FactKind, InsteadRecord, Role, RunRecord, fact
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings

_SEED = "rng.seed"
_SEEDS = range(2**63)
"""What a scenario takes as a seed."""
_ELSEWHERE = {"space", "inference", "command"}
"""Sources that may fail now and not later; a file is what it is."""
_MISTAKES = {SpaceNotFound.code, SpaceApiMismatch.code, InputUnusable.code}
"""Failures that another scenario resolves, and no later attempt."""


def adopted(plan: Plan, fetched: Iterable[RunRecord]) -> Plan:
    """Return a plan whose local runs are generated from what the reference was made from.

    Where groups of clips are compared, the plan stays as it is: no seed of one side belongs to one of the other.

    Args:
        plan: The plan.
        fetched: The finished runs of the reference.

    Returns:
        The plan with other local runs where a Space used another seed or text, with `used`, and with `instead`, which
        says for each what was asked for, what was used, and why it was not adopted if it was not.
    """
    if plan.grouped:
        return plan
    found = {run.prompt: run.instead for run in fetched if run.name == plan.reference and run.instead is not None}
    used: dict[str, Prompt] = {}
    facts: list[Fact] = []
    for prompt in plan.prompts:
        if prompt.name in found:
            changed, said = _of_prompt(prompt, found[prompt.name], adopt=plan.adopt)
            used |= {prompt.name: changed} if changed != prompt else {}
            facts += said
    runs = (
        _asking(run, used[run.prompt.name], plan) if run.is_local and run.prompt.name in used else run
        for run in plan.runs
    )
    return replace(plan, runs=tuple(runs), used=used, instead=tuple(facts))


def without_reference(plan: Plan, fetched: Iterable[RunRecord]) -> Plan:
    """Return a plan whose local runs are generated where the reference is unavailable for now.

    Where only another scenario can change that, such as a misspelt endpoint, and where groups of clips are compared,
    they still are not.

    Args:
        plan: The plan.
        fetched: The finished runs of the reference.
    """
    if plan.stop_without_reference or plan.grouped:
        return plan
    lost = frozenset(run.prompt for run in fetched if run.name == plan.reference and _may_come_back(run))
    runs = (replace(run, against="") if run.is_local and run.prompt.name in lost else run for run in plan.runs)
    return replace(plan, runs=tuple(runs), without_reference=lost)


def _may_come_back(run: RunRecord) -> bool:
    return run.failed and run.source in _ELSEWHERE and run.code not in _MISTAKES


def _of_prompt(prompt: Prompt, instead: InsteadRecord, *, adopt: bool) -> tuple[Prompt, list[Fact]]:
    """Return what the local runs of a prompt are generated from, and what is said of it."""
    used, facts, wanted = prompt, [], "" if adopt else "declined"
    if instead.own_seed:
        why = "unknown" if instead.seed is None else wanted if instead.seed in _SEEDS else "unusable"
        facts.append(fact(FactKind.SEED_USED, prompt=prompt.name, asked=prompt.seed, used=instead.seed, why=why))
        used = used if why or instead.seed is None else replace(used, seed=instead.seed)
    if instead.rewritten:
        why = wanted if instead.prompt else "private" if prompt.private else "unknown"
        facts.append(fact(FactKind.PROMPT_USED, prompt=prompt.name, used=instead.prompt, why=why))
        used = used if why else replace(used, text=instead.prompt)
    return used, facts


def _asking(run: Run, used: Prompt, plan: Plan) -> Run:
    """Return a local run of what was used; a run of the scale with the seed that was used gets another one."""
    changed = replace(run, prompt=replace(run.prompt, seed=used.seed, text=used.text))
    if run.role is not Role.SEED or run.settings.value(_SEED) != used.seed:
        return changed
    taken = {each.settings.value(_SEED) for each in plan.runs if each.prompt.name == run.prompt.name}
    seed = next(other_seeds(used.seed, taken))
    change = Settings.of({"rng": {"seed": seed}}, Origin.DECLARED, "the scale")
    return replace(changed, name=f"seed-{seed}", settings=run.settings.changed_by(change), changes=change)

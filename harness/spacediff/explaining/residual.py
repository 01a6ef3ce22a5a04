"""Residual suspects: what may make two clips differ although every setting agrees, each with what is known of it.

A suspect is named only where it is possible: what was generated here has this machine's versions, device and text.
"""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import ComparisonRecord, Fact, FactKind, RunRecord, Verdict, fact
from spacediff.record.derived.packages import versions_of
from spacediff.settings import Origin

_LIBRARIES = ("torch", "diffusers", "transformers", "accelerate")
_COMPUTING = ("device", "processor", "instructions")
"""What is observed of a machine that decides how numbers are rounded, besides versions."""


def residual_suspects(
    target: RunRecord, reference: RunRecord, compared: ComparisonRecord | None, here: Mapping[str, str]
) -> list[Fact]:
    """Return what differs between the target and the reference besides the settings, or is not known to agree.

    Args:
        target: The target of the search.
        reference: The reference, which the target does not match.
        compared: Their comparison.
        here: Versions and devices of this machine.

    Returns:
        Facts with the value there and the value here; empty where both were made here.
    """
    if reference.source in {"diffusers", "script"}:
        return []
    hosted = reference.hosted
    here = {**here, **versions_of(target)}
    on_this_machine = reference.source == "command"
    machine = [] if on_this_machine else _hardware(hosted, here)
    found = [*_versions(hosted, here), *_packages(target, hosted), *machine, *_revision(target, reference)]
    seed = target.settings.get("rng.seed")
    if reference.seed_echoed is not None and seed is not None and reference.seed_echoed != seed.value:
        found.append(fact(FactKind.SEED_DIFFERS, hosted=reference.seed_echoed, here=seed.value, where=seed.where))
    if compared is not None and compared.verdict is Verdict.POST_PROCESSED:
        found.append(fact(FactKind.POST_PROCESSED, *compared.evidence))
    return found if reference.source == "recording" else [*found, _prompt(reference)]


def _versions(hosted: Mapping[str, str], here: Mapping[str, str]) -> list[Fact]:
    named = [name for name in _LIBRARIES if name in hosted]
    if not named:
        ours = ", ".join(f"{name} {here[name]}" for name in _LIBRARIES if name in here)
        return [fact(FactKind.VERSIONS_UNKNOWN, here=ours)]
    return [
        fact(FactKind.VERSION_DIFFERS, library=name, hosted=hosted[name], here=here.get(name, ""))
        for name in named
        if hosted[name].removeprefix("==").split("+")[0] != here.get(name, "").split("+")[0]
    ]


def _packages(target: RunRecord, hosted: Mapping[str, str]) -> list[Fact]:
    """Return the optional packages that the target's pipeline asks for and only the Space has."""
    missing = [
        path.removeprefix("packages.")
        for path, setting in target.settings.items()
        if path.startswith("packages.") and setting.value is False
    ]
    return [
        fact(FactKind.VERSION_DIFFERS, library=name, hosted=hosted[name], here="not installed")
        for name in missing
        if name in hosted
    ]


def _hardware(hosted: Mapping[str, str], here: Mapping[str, str]) -> list[Fact]:
    """Return what computes there and here, unless it was observed there and is the same."""
    there, ours = hosted.get("hardware", ""), here.get("device", "")
    if "processor" in hosted:  # observed, as in a recording
        observed, own = ([found.get(name, "") for name in _COMPUTING] for found in (hosted, here))
        if observed == own:
            return []
        if hosted.get("device") == ours:  # the same card, or none
            there, ours = (", ".join([each for each in found if each]) for found in (observed, own))
    return [fact(FactKind.HARDWARE, hosted=there, here=ours)]


def _revision(target: RunRecord, reference: RunRecord) -> list[Fact]:
    """Return that the reference's revision is unknown, unless it was observed: then it is a setting like others."""
    there = reference.settings.get("model.commit")
    if there is not None and there.origin is not Origin.UNKNOWN:
        return []
    commit = target.settings.get("model.commit")
    here, where = (str(commit.value), commit.where) if commit is not None else ("", "")
    return [fact(FactKind.REVISION_UNKNOWN, here=here, where=where)]


def _prompt(reference: RunRecord) -> Fact:
    if reference.source == "video":
        return fact(FactKind.PROMPT_OF_FILE_UNKNOWN)
    space = reference.settings.get("space.id")
    return fact(FactKind.PROMPT_MAY_BE_REWRITTEN, space=str(space.value) if space is not None else "")

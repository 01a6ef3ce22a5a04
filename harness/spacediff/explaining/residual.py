"""Outside reach: what may part two clips although every setting agrees, each with what is known of it.

A suspect is named only where it is possible: what was generated here has this machine's versions, device and text.
"""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import ComparisonRecord, RunRecord, Verdict

_LIBRARIES = ("torch", "diffusers", "transformers", "accelerate")


def residual_suspects(
    right: RunRecord, reference: RunRecord, compared: ComparisonRecord | None, here: Mapping[str, str]
) -> list[str]:
    """Name what differs between the matched end and the reference beside the settings, or is not known to agree.

    Args:
        right: The run at the matched end.
        reference: What it does not reach.
        compared: Its comparison with the reference.
        here: Versions and devices of this machine.

    Returns:
        One text each: the value there, the value here, and where they were read; empty where both were made here.
    """
    if reference.source == "diffusers":
        return []
    found = [*_versions(reference.hosted, here), _hardware(reference.hosted, here), _revision(right)]
    seed = right.settings.get("rng.seed")
    if reference.seed_echoed is not None and seed is not None and reference.seed_echoed != seed.value:
        found.append(f"seed: {reference.seed_echoed} there (the Space's answer), {seed.value} here ({seed.where})")
    if compared is not None and compared.verdict is Verdict.POST_PROCESSED:
        found.append(f"post-processing: {'; '.join(compared.evidence)}")
    return [*found, _text(reference)]


def _versions(hosted: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    told = [name for name in _LIBRARIES if name in hosted]
    if not told:
        return [f"versions: nobody says which the host runs; here is {_pairs(here)}"]
    where = "its requirements.txt; this process"
    return [
        f"{name}: the host asks for {hosted[name]}, here is {here.get(name, 'unknown')} ({where})"
        for name in told
        if hosted[name].removeprefix("==") != here.get(name, "").split("+")[0]
    ]


def _pairs(here: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {here[name]}" for name in _LIBRARIES if name in here)


def _hardware(hosted: Mapping[str, str], here: Mapping[str, str]) -> str:
    there = f"{hosted['hardware']} there (the Hub's page of the Space)" if "hardware" in hosted else "nobody says there"
    return f"hardware: {there}, {here.get('device', 'unknown')} here (torch)"


def _revision(right: RunRecord) -> str:
    commit = right.settings.get("model.commit")
    ours = f"{commit.value} here ({commit.where})" if commit is not None else "not known here either"
    return f"model revision: nobody says which the host has loaded, {ours}"


def _text(reference: RunRecord) -> str:
    if reference.source == "video":
        return "prompt: the file does not tell which text it was made from"
    space = reference.settings.get("space.id")
    read = f"; spacediff read {space.value} looks for it in the source" if space is not None else ""
    return f"prompt rewriting: the text was sent as it stands, and the clip does not tell what the app made of it{read}"

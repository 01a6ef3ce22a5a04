"""What somebody else needs to repeat what an issue is about: the run in one line, an install line, the scenario.

The key insight: these are commands that a stranger pastes. So of the versions in a record, which may come from anybody,
only what is a version by PEP 440 comes into a command, and what an index does not have is a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from packaging.version import InvalidVersion, Version

from spacediff.record import AuditRecord, Origin, Role, RunRecord
from spacediff.reporting.inert import code, fenced
from spacediff.wording.numbers import value

INSTALLED = ("torch", "diffusers", "transformers", "accelerate", "peft", "gguf", "ftfy", "sentencepiece")
"""Packages that a generation depends on, in the order of an install line."""
_NAMED = {"torch": "torch", "diffusers": "diffusers", "transformers": "transformers", "python": "Python"}
"""What the line about the run names, of the versions."""
_GENERATED = frozenset({"diffusers", "script", "recording"})
_MOST_OF_SCENARIO = 8000
"""Characters of the scenario; the largest that come with spacediff have 5,000."""
_MOST_OF_NAME = 120


@dataclass(frozen=True)
class Scenario:
    """The scenario as an issue shows it.

    Attributes:
        block: A block of TOML; empty where the record has none, or a prompt is private.
        left_out: Lines that are not shown.
    """

    block: str = ""
    left_out: int = 0


def versions(record: AuditRecord) -> dict[str, str]:
    """Return what the run that the issue is about was generated with, name to version; empty where that is unknown."""
    run = subject(record)
    if run is None or run.source not in _GENERATED:
        return {}
    known = {path: found.value for path, found in run.settings.items() if found.origin is not Origin.UNKNOWN}
    of_process = _below("machine", known)
    own = of_process if of_process or run.source == "recording" else record.environment.local
    return {**own, **_below("env", known)}


def _below(table: str, known: Mapping[str, object]) -> dict[str, str]:
    named = {path.partition(".")[2]: each for path, each in known.items() if path.startswith(f"{table}.")}
    return {name: each for name, each in named.items() if isinstance(each, str)}


def subject(record: AuditRecord) -> RunRecord | None:
    """Return the run that the issue is about: the baseline, else the first run that is compared with the reference."""
    runs = [run for run in record.runs if run.name != record.reference and run.measured]
    baselines = [run for run in runs if run.role is Role.BASELINE]
    return next(iter([*baselines, *(run for run in runs if run.role is Role.VARIANT)]), None)


def what_ran(record: AuditRecord) -> str:
    """Return in one line of Markdown what was run with which versions, and what it was compared with.

    Empty where nothing was generated, as with two files.
    """
    run = subject(record)
    if run is None or run.source not in _GENERATED:
        return ""
    reference = next((each for each in record.runs if each.name == record.reference), None)
    against = f", compared with {code(reference.described, _MOST_OF_NAME)}" if reference and reference.described else ""
    line = ", ".join(_run(run)) + against
    found = versions(record)
    used = [f"{title} {code(found[name], _MOST_OF_NAME)}" for name, title in _NAMED.items() if found.get(name)]
    device = [code(found["device"], _MOST_OF_NAME)] if found.get("device") else []
    return "; ".join(filter(None, (line, ", ".join([*used, *device]))))


def _run(run: RunRecord) -> Iterator[str]:
    """Yield pipeline and model, dtype and steps, as far as the record knows them."""
    known = {path: found.value for path, found in run.settings.items() if found.origin is not Origin.UNKNOWN}
    names = [_named(str(known[path])) for path in ("model.pipeline", "model.id") if known.get(path)]
    yield code(" ".join(names) or run.described or run.name, _MOST_OF_NAME)
    if known.get("model.dtype") is not None:
        yield code(value(known["model.dtype"]), _MOST_OF_NAME)
    steps = known.get("call.num_inference_steps")
    if isinstance(steps, int):
        yield f"{steps} {'step' if steps == 1 else 'steps'}"


def _named(model: str) -> str:
    """Return a model's id; of a folder on somebody's machine its last name."""
    if PurePosixPath(model).is_absolute():
        return PurePosixPath(model).name or model
    return PureWindowsPath(model).name if PureWindowsPath(model).is_absolute() else model


def install_block(record: AuditRecord) -> str:
    """Return the commands that install what the record names, as a block of code."""
    return fenced("\n".join(install_lines(record)))


def install_lines(record: AuditRecord) -> list[str]:
    """Return the lines of these commands; what an index does not have is a comment."""
    found = {name: text for name, text in versions(record).items() if name in INSTALLED}
    read = {name: version for name in INSTALLED if (version := _version(found.get(name, ""))) is not None}
    published = [f"{name}=={version.public}" for name, version in read.items() if not version.is_devrelease]
    built = [f"{name} was {version}" for name, version in read.items() if version.local and not version.is_devrelease]
    own = _version(record.spacediff_version)
    return [
        *([f"pip install {' '.join(published)}" + (f"  # {', '.join(built)}" if built else "")] if published else []),
        *(f"# {name} {version} is a development version" for name, version in read.items() if version.is_devrelease),
        f'pip install "spacediff[run]=={own.public}"' if own else "# the version of spacediff is unknown",
    ]


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def scenario_of(record: AuditRecord) -> Scenario:
    """Return the scenario as an issue shows it, cut between two lines where it is long."""
    if not record.scenario.strip() or any(prompt.private for prompt in record.prompts):
        return Scenario()
    text = record.scenario.strip()
    kept = text
    if len(text) > _MOST_OF_SCENARIO:
        kept = text[:_MOST_OF_SCENARIO].rpartition("\n")[0]
    return Scenario(fenced(kept, "toml"), len(text.splitlines()) - len(kept.splitlines()))

"""Runs in other environments: each is a script that spacediff writes, run and watched like one of the user.

The key insight: one module watches whatever is generated in a strange process, so a clip and a trace from another
version are the same kind of evidence as those from a script.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from spacediff.environments.building import built
from spacediff.environments.hosted_facts import differing_facts
from spacediff.environments.named import NAMED, described, moved
from spacediff.environments.resolved import Resolve, Resolved, resolved
from spacediff.environments.shared import installed_here
from spacediff.environments.wanted import PYTHON, TABLE
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import Progress
from spacediff.run import Run
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Settings
from spacediff.sources import Produced, Stopped
from spacediff.sources.environment_script import put_in_of, script_of, seed_of
from spacediff.sources.script import Scripts
from spacediff.wording import sentences

_Found = TypeVar("_Found", bound=Produced | Stopped)

_SCRIPT = "generate.py"
_USUAL = {"output": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}}


class Environments:
    """Generates runs in other environments. A process is kept for runs that differ in nothing but its call.

    Args:
        resolve: Returns what an environment comes to.
    """

    def __init__(self, resolve: Resolve = resolved) -> None:
        self._resolve = resolve
        self._scripts = Scripts()
        self._temporary = tempfile.TemporaryDirectory(prefix="spacediff-written-", ignore_cleanup_errors=True)

    def close(self) -> None:
        """End the process that was kept."""
        self._scripts.close()
        self._temporary.cleanup()

    def run(self, run: Run, folder: Path, progress: Progress) -> Produced:
        """Return what a run in another environment produces; see `spacediff.sources.script.Scripts.run`.

        Raises:
            EnvironmentUnavailable: The environment cannot be resolved or built.
            UnsupportedSetting: The version, or a plain script, has no place for a setting.
            GenerationFailed: The libraries cannot be imported together, or the pipeline failed.
        """
        asked, about = self._asked(run, progress)
        return _as_of(run, self._scripts.run(asked, folder, progress), about)

    def follow(self, run: Run, folder: Path, progress: Progress, stop: Mapping[str, Any]) -> Produced | Stopped:
        """Return what was seen until the call was ended, or what it produces; see `run`.

        Args:
            run: A run in another environment.
            folder: For latents that later runs are compared with.
            progress: Receives the progress.
            stop: When the call ends early, as `spacediff.watch.early_end` takes it.
        """
        asked, about = self._asked(run, progress)
        return _as_of(run, self._scripts.follow(asked, folder, progress, stop), about)

    def _asked(self, run: Run, progress: Progress) -> tuple[Run, _About]:
        """Return the run as that of a script, whose environment has been built, and what that environment is."""
        text = script_of(run)  # it refuses before anything is installed
        found = self._resolve(run.settings, progress)
        if found is None:
            raise EnvironmentUnavailable(f"{run.name} names no environment")
        place = Path(self._temporary.name) / hashlib.sha256(text.encode()).hexdigest()[:16]
        place.mkdir(exist_ok=True)
        (place / _SCRIPT).write_text(text, encoding="utf-8")
        request = {
            "script": str(place / _SCRIPT),
            "arguments": [],
            "folder": str(place),
            "python": built(found.lock, progress),
            "isolated": True,
            "call": 1,
        }
        settings = put_in_of(run.settings)
        prompt = replace(run.prompt, seed=seed_of(run))  # which is put into the call
        # as a target, it keeps the latents of all steps, as a local run does
        asked = replace(run, source="script", prompt=prompt, settings=settings, request=request, is_target=True)
        return asked, _About.of(found)


@dataclass(frozen=True)
class _About:
    """What an environment is, for the record of its runs.

    Attributes:
        text: The environment in one line.
        settings: The versions of the packages that moved with those that are asked for.
        warnings: In what it is not that of a Space, whose environment is asked for.
    """

    text: str
    settings: Settings
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, found: Resolved) -> _About:
        """Describe a built environment."""
        wanted, lock, here = found.wanted, found.lock, installed_here()
        there = {each.name: each.there for each in moved(lock, here) if each.name in NAMED}
        if wanted.python:
            there[PYTHON] = wanted.python
        resolved = Settings.of({TABLE: there} if there else {}, Origin.DEFAULT, f"resolved for {wanted.named}")
        return cls(described(wanted, lock, here), resolved, tuple(sentences(differing_facts(wanted, lock))))


def _as_of(run: Run, found: _Found, about: _About) -> _Found:
    """Return what a script gave as what the run itself gives."""
    seen = Settings({path: each for path, each in found.settings.items() if not path.startswith("machine.")})
    settings = seen.changed_by(run.settings).filled_from(about.settings)
    usual = Settings.of(_USUAL, Origin.DEFAULT, "diffusers.utils.export_to_video")
    medium = found.clip.medium if isinstance(found, Produced) else "video"
    return replace(
        found,
        settings=settings.filled_from(usual) if medium == "video" else settings,
        described=f"generated with {about.text}",
        warnings=(*found.warnings, *about.warnings),
    )

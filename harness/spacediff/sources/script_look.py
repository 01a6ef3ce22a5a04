"""A look at what a script's call offers, before any setting is put into it.

The key insight: the call of the run without settings, the baseline, has seen every object into which a setting could be
put. So what another run asks for in vain is known without running the script again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacediff.errors import UnsupportedSetting
from spacediff.run import Run
from spacediff.settings import Settings
from spacediff.watch.offered import FILE
from spacediff.watch.refusing import refusals

_FILE = f"{FILE}.json"
_SEED = "rng.seed"


def is_looked_at(run: Run) -> bool:
    """Whether the call of a run says what it offers: that of a script into which nothing is put."""
    return run.source == "script" and not run.settings


def looked_at(run: Run) -> Run | None:
    """Return the run whose call says what the script offers to this one; None for one into which nothing is put."""
    if run.source != "script" or not run.settings:
        return None
    return replace(run, settings=Settings(), changes=Settings(), repeat=0)


def keep_offered(left: Path, folder: Path) -> None:
    """Copy what a call offers from the folder that its process has left into the folder of its run."""
    if (left / _FILE).is_file():
        shutil.copyfile(left / _FILE, folder / _FILE)


def refuse_beforehand(run: Run, folder: Path) -> None:
    """Refuse a run whose settings the script has no place for, as far as the baseline's call shows.

    Args:
        run: A run of a script.
        folder: The folder of the run that was looked at.

    Raises:
        UnsupportedSetting: There is no place for a setting.
    """
    try:
        offered = json.loads((folder / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return  # it was not looked at; the call itself refuses
    for refused in refusals(tables_of(run.settings), offered, run.prompt.seed):
        raise not_put_in(run, refused.path, refused.reason, refused.hint)


def not_put_in(run: Run, path: str, reason: str, hint: str = "") -> UnsupportedSetting:
    """Return the error of a setting that a script has no place for, with the line where a scenario has it.

    Args:
        run: The run of the script.
        path: The setting.
        reason: Why not.
        hint: What to do about it; may be empty.
    """
    declared = {name: each.where for name, each in run.settings.items() if f"{name}.".startswith(f"{path}.")}
    where = next((f" ({each})" for each in declared.values() if each), "")
    script = Path(run.request["script"]).name
    if path == _SEED and not declared:
        where = f" (seed = {run.prompt.seed} of [prompts.{run.prompt.name}])"
    return UnsupportedSetting(f"{path}{where} cannot be put into {script}: {reason}", hint=hint)


def tables_of(settings: Settings) -> Mapping[str, Any]:
    """Return settings as nested tables, as they are put in."""
    tables = sorted({path.partition(".")[0] for path in settings})
    return {name: settings.table(name) or settings.value(name) for name in tables}

"""Put other settings in at the entry of one call of a script, and name what this script has no place for.

The key insight: what a script has built, a model, a scheduler, a generator, is there when the call begins. So a setting
is changed on the very objects that the call is about to use, and one for which there is no object is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import put_in
from .loading import Loading
from .offered import Noting, offered_by
from .pipeline_call import PipelineCall
from .put_in import PutIn
from .refusing import RefusedError, refusals
from .seeding import Seeding, noise_of

FILE = "overrides"
"""Name of the file with what is put in, in the folder of a recording, without its suffix."""
OUTCOME = "overridden"
"""Name of the file that says what was put in, or refused."""
PASSED = "passed"
"""Name of the file with the calls that came before the chosen one."""

_LATENT = "latent"
_ON_THE_PIPELINE: Mapping[str, PutIn] = {
    "scheduler": put_in.scheduler,
    "vae": put_in.vae,
    "numerics": put_in.numerics,
    "lora": put_in.lora,
}


class Overriding:
    """Changes one call of a process.

    Args:
        content: `call`, the number of the call, or null for the first one that is to return frames; `settings`, nested
            tables by the paths of a scenario; `prompt`, a text or null; `seed`; `look`, whether what the call
            offers is to be said.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._number: int | None = content.get("call")
        self._settings: Mapping[str, Any] = content.get("settings", {})
        self._prompt: str | None = content.get("prompt")
        self._seed: int | None = content.get("seed")
        self._seeding = Seeding(self._seed, self._settings.get("rng", {}))
        self._look = bool(content.get("look"))
        self.loading = Loading(self._settings, look=self._look)
        self._pending: dict[str, Any] = {}
        self._pipeline: Any = None
        self.applied: list[str] = []
        """Paths of the settings that were put in."""
        self.offered: dict[str, Any] = {}
        """What the call offered to other settings; empty unless that was asked for."""

    @property
    def warnings(self) -> list[str]:
        """What is to be known of the noise of the call."""
        return self._seeding.warnings

    def chooses(self, number: int, call: PipelineCall) -> bool:
        """Whether a call, the one of this number, is the one to change."""
        if self._number is not None:
            return number == self._number
        return bool(call.given.get("output_type") != _LATENT)

    def put_in(self, call: PipelineCall, noting: Noting, torch_seed: int | None = None) -> PipelineCall:
        """Put everything in, and return the changed call.

        What the signature does not name, as in a subclass that passes its arguments on, waits for the inner call.

        Args:
            call: The call.
            noting: A context for each thing of the call that is looked at.
            torch_seed: The seed that torch had when it was imported; None if that is unknown.

        Raises:
            RefusedError: This script has no place for a setting.
        """
        self._pipeline = call.pipeline
        wanted = [name] if (name := self._settings.get("scheduler", {}).get("class")) else []
        schedulers = None if self._look else wanted
        offered = offered_by(call, self.loading.offered, noting, schedulers, seed=self._seed, torch_seed=torch_seed)
        if self._look:
            self.offered = offered
        for refused in refusals(self._settings, offered):
            raise refused
        self.applied += self.loading.put_in()
        for table, put in _ON_THE_PIPELINE.items():
            self.applied += put(call.pipeline, self._settings.get(table, {}))
        given = call.given
        noise = offered.get("noise") or noise_of(call.pipeline, given, self._seed, torch_seed)
        self._pending = {**_prompt(self._prompt, given), **self._seeding.arguments(call.pipeline, given, noise)}
        self.applied += self._seeding.applied
        for name, value in self._settings.get("call", {}).items():
            self._pending[name] = _like(value, given.get(name))
            self.applied.append(f"call.{name}")
        return self._placed(call)

    def put_in_inner(self, call: PipelineCall) -> PipelineCall:
        """Put in what waits for a call of the same pipeline inside the changed one."""
        return self._placed(call) if self._pending and call.pipeline is self._pipeline else call

    def refuse_what_waits(self) -> None:
        """Refuse what no call took.

        Raises:
            RefusedError: There is something.
        """
        for name in self._pending:
            raise RefusedError(f"call.{name}", f"{type(self._pipeline).__name__}.__call__ takes no argument {name}")

    def _placed(self, call: PipelineCall) -> PipelineCall:
        """Return a call with those of the waiting arguments that it takes."""
        bound = inspect.signature(call.method).bind(call.pipeline, *call.args, **call.kwargs)
        named, collecting = call.named, call.collecting
        for name in [name for name in self._pending if name in named | call.of_blocks]:
            value = self._pending.pop(name)
            if name in named:
                bound.arguments[name] = value
            else:
                bound.arguments[collecting] = {**bound.arguments.get(collecting, {}), name: value}
        return replace(call, args=bound.args[1:], kwargs=dict(bound.kwargs))


def _prompt(text: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the prompt as the script passes its own, where that is another one.

    Raises:
        RefusedError: The script passes several prompts, or embeddings.
    """
    there = given.get("prompt")
    if text is None or there in (text, [text]):
        return {}
    if isinstance(there, list | tuple) and len(there) != 1:
        raise RefusedError("the prompt", f"the script passes {len(there)} prompts to the call")
    if there is None and any(name.endswith("prompt_embeds") and given[name] is not None for name in given):
        raise RefusedError("the prompt", "the script passes embeddings to the call")
    return {"prompt": [text] if isinstance(there, list | tuple) else text}


def _like(value: Any, there: Any) -> Any:
    """Return a list as a tuple where the script passes one."""
    return tuple(value) if isinstance(value, list) and isinstance(there, tuple) else value

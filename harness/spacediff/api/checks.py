"""A Space under test, before anything is compared with it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api.extra_run import ensure_run
from spacediff.api.given import StrPath
from spacediff.errors import InvalidArgument

if TYPE_CHECKING:
    from spacediff.checking.check import CheckListener, Target
    from spacediff.checking.result import SpaceCheck

CALLS = 6
"""The usual budget of calls."""


class CheckInterrupted(KeyboardInterrupt):
    """Ctrl-C during a check of a Space.

    Attributes:
        result: What was found until then.
    """

    def __init__(self, result: SpaceCheck) -> None:
        super().__init__("the check was interrupted")
        self.result = result


def check_space(
    space: StrPath,
    *,
    calls: int = CALLS,
    endpoint: str = "",
    deadline: float | None = None,
    listener: CheckListener | None = None,
) -> SpaceCheck:
    """Find out what a Space makes of a call: whether it repeats itself, what its inputs do, and what a call costs.

    Args:
        space: `ORG/NAME`, the address of the Space's page or of a Gradio app, or a scenario file whose reference is a
            Space.
        calls: How many calls may be made; each costs what a clip costs.
        endpoint: The endpoint, such as `/generate`; by default the one that the scenario or the Space's source names,
            or the only one that takes a prompt and gives a clip.
        deadline: Seconds in which the Space must describe itself, at most 600, and then for each call; by default the
            scenario's, or 600 and 1800.
        listener: Receives the progress; by default nobody.

    Raises:
        CheckInterrupted: Ctrl-C; it holds the result so far.
        InvalidArgument: The budget is no number of at least 1, the deadline is none above 0, what is named is no Space,
            or the scenario's reference is none.
        ScenarioError: The scenario has mistakes.
        NotMeasuredError: The Space does not answer, or what to ask it is not known; the class says why.
    """
    from spacediff.checking.check import SilentCheck, check
    from spacediff.privacy.private_prompts import private

    ensure_run("a check of a Space")
    if calls < 1:
        raise InvalidArgument(f"a check makes at least 1 call, not {calls}")
    if deadline is not None and not 0 < deadline < math.inf:
        raise InvalidArgument(f"a deadline is a number of seconds above 0, not {deadline}")
    target, hidden = _target(str(space), endpoint)
    with private(hidden):
        found = check(replace(target, deadline=deadline), calls, listener or SilentCheck())
    if not found.finished:
        raise CheckInterrupted(found)
    return found


def _target(space: str, endpoint: str) -> tuple[Target, tuple[str, ...]]:
    """Return what is checked, and the private texts of its scenario."""
    from spacediff.checking.check import Target
    from spacediff.hub.ids import is_repository_id, no_space, server_of, space_of
    from spacediff.plan import plan_scenario
    from spacediff.scenario.scenario import load_scenario
    from spacediff.sources.hosted import TINY_SPACES
    from spacediff.sources.space import SpaceRequest

    if not space.endswith(".toml"):
        named = space_of(space)
        if named.lower().startswith(("http://", "https://")) and server_of(named) is None:
            shown = "this" if "@" in named else repr(named[:200])
            raise InvalidArgument(f"{shown} is not the address of an app", hint="such as http://127.0.0.1:7860")
        if not (named in TINY_SPACES or server_of(named) or is_repository_id(named)):
            raise no_space(space)
        return Target(named, endpoint), ()
    plan = plan_scenario(load_scenario(Path(space)))
    run = next((run for run in plan.runs if run.source == "space"), None)
    if run is None:
        raise InvalidArgument(f"the reference of {space} is no Space", hint="give ORG/NAME")
    request = SpaceRequest(**run.request)
    if endpoint not in {"", request.endpoint}:
        raise InvalidArgument(
            f"{space} names the endpoint {request.endpoint}", hint="give ORG/NAME to check another endpoint"
        )
    return Target(request.id, request.endpoint, request, run.prompt), plan.private_texts

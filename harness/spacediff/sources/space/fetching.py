"""Fetch the clip of a prompt from a Space: send the job, wait, download the file, and note what is known about it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spacediff.hub.space_errors import explained, plain
from spacediff.progress import Progress
from spacediff.settings import Origin, Setting, Settings
from spacediff.sources import Produced
from spacediff.sources.space.answers import decoded, download, integer_in, video_address
from spacediff.sources.space.client import awaited, connected
from spacediff.sources.space.request import Api, SpaceRequest, checked_api, filled, sends_seed
from spacediff.sources.video import describe, file_settings


def fetch(request: SpaceRequest, prompt_text: str, seed: int, folder: Path, progress: Progress) -> Produced:
    """Make the Space generate a clip, and keep its file unchanged as `hosted.<ext>` in a folder.

    Raises:
        NotMeasuredError: There is no clip; the message says why.
    """
    started = time.monotonic()
    ends = started + request.deadline
    inputs = {name: filled(value, prompt_text, seed) for name, value in request.inputs.items()}
    with explained(request.id):
        progress.on_status(f"connecting to {plain(request.id)}")
        with connected(request) as (client, hosted):
            api = checked_api(client, request)
            # By position, because a parameter may be called `headers`, like an argument of submit().
            arguments = [inputs.get(name, parameter.get("parameter_default")) for name, parameter in api.inputs.items()]
            result = awaited(client.submit(*arguments, api_name=request.endpoint), request.deadline, ends, progress)
            outputs = result if isinstance(result, tuple) else (result,)
            address = video_address(outputs, request.outputs["video"], client.src_prefixed, api.outputs_listed)
            progress.on_status("fetching the video")
            original = download(address, client.headers, client.cookies, folder, ends)
        clip, info = decoded(original)
    echoed, warnings = _seed_echoed(request, outputs, seed)
    return Produced(
        clip=clip,
        settings=Settings(
            {
                **_asked(request, inputs, api),
                "rng.seed": _seed_setting(request, seed, echoed),
                **file_settings(info, "the hosted file"),
                "output.frames": Setting(len(clip.frames), Origin.OBSERVED, "decoded"),
            }
        ),
        described=f"Space {plain(request.id)} {plain(request.endpoint)}",
        seconds=time.monotonic() - started,
        original=original,
        encoding=describe(info),
        warnings=warnings,
        hosted=hosted,
        seed_echoed=echoed,
    )


def _seed_echoed(request: SpaceRequest, outputs: Sequence[Any], seed: int) -> tuple[int | None, tuple[str, ...]]:
    """Return the seed that the Space reports, and warnings about it."""
    warnings = () if sends_seed(request) else ("the seed was not sent: no input of the Space contains {seed}",)
    index = request.outputs.get("seed")
    if index is None:
        return None, warnings
    echoed = integer_in(outputs[index]) if index < len(outputs) else None
    if echoed is None:
        return None, (*warnings, f"output {index} of the Space should be the seed, but is not an integer")
    if echoed != seed:
        return echoed, (*warnings, f"the Space reports that it used seed {echoed}, not {seed}")
    return echoed, warnings


def _seed_setting(request: SpaceRequest, seed: int, echoed: int | None) -> Setting:
    if echoed is not None:
        return Setting(echoed, Origin.OBSERVED, f"output {request.outputs['seed']} of the Space")
    if sends_seed(request):
        return Setting(seed, Origin.DECLARED)
    return Setting(None, Origin.UNKNOWN, "not sent to the Space")


def _asked(request: SpaceRequest, inputs: Mapping[str, Any], api: Api) -> dict[str, Setting]:
    """Return the inputs that were sent, with the Space's default for each input that the request leaves out."""
    asked = {
        "space.id": Setting(request.id, Origin.DECLARED),
        "space.endpoint": Setting(request.endpoint, Origin.DECLARED),
    }
    for name, parameter in api.inputs.items():
        path = "space.inputs." + re.sub(r"\W", "_", name[:100])
        if name in inputs:
            asked[path] = Setting(inputs[name], Origin.DECLARED)
        else:
            default = parameter.get("parameter_default")
            value = default if default is None or isinstance(default, int | float) else plain(default)
            asked[path] = Setting(value, Origin.DEFAULT, f"API page of {request.endpoint}")
    return asked

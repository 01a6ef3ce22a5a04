"""Fetch the clip of a prompt from a Space: send the job, wait, download the file, and note what is known about it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spacediff.clip import counted
from spacediff.embedded import declared_in_all, files_in
from spacediff.hub.space_errors import explained, plain
from spacediff.inputs.files import Input
from spacediff.inputs.placeholders import described, inputs_named_in
from spacediff.progress import Progress
from spacediff.recordings import RecordedCall
from spacediff.run import Prompt
from spacediff.settings import Origin, Setting, Settings
from spacediff.sources import Produced
from spacediff.sources.space.answers import decoded
from spacediff.sources.space.asking import generate
from spacediff.sources.space.instead import SEED, Said
from spacediff.sources.space.messages import Answered
from spacediff.sources.space.own_seeds import own_seeds
from spacediff.sources.space.probe import Recorded, checked, observed_machine, observed_settings
from spacediff.sources.space.request import Api, SpaceRequest, filled, sends_seed
from spacediff.sources.space.uploads import copies_of
from spacediff.sources.video import describe, file_settings, warnings_of, with_declared
from spacediff.wording import sentences

_SHOWN_OF_DIGEST = 12


def fetch(
    request: SpaceRequest,
    prompt_text: str,
    seed: int,
    folder: Path,
    progress: Progress,
    *,
    inputs: Sequence[Input] = (),
    private: bool = False,
) -> Produced:
    """Make the Space generate a clip, and keep its file unchanged as `hosted.<ext>` in a folder.

    Args:
        request: The request, with placeholders.
        prompt_text: The prompt's text.
        seed: The prompt's seed.
        folder: The folder for the file.
        progress: Receives the state of the job.
        inputs: The prompt's input pictures and videos; those that the request names are uploaded.
        private: Whether nothing that identifies an input may be recorded.

    Raises:
        NotMeasuredError: There is no clip; the message says why.
    """
    started = time.monotonic()
    ends = started + request.deadline
    needed = inputs_named_in(request.inputs)
    uploads = [each for each in inputs if each.name in needed]
    with explained(request.id):
        progress.on_status(f"connecting to {plain(request.id)}")
        with copies_of(uploads) as copies:
            answer, original = generate(
                request, ends, progress, prompt=prompt_text, seed=seed, files=copies, folder=folder
            )
        clip, info = decoded(original, ends, progress)
    api = Api(answer.inputs, answer.outputs_listed, answer.probed)
    recorded = _recorded(answer)
    seen = checked(recorded, prompt_text, private=private)
    shown = {each.name: described(each, private=private) for each in uploads}
    prompt = Prompt("", prompt_text, seed, private)
    declared = declared_in_all(files_in(original), (info.width, info.height))
    asked = {name: filled(value, prompt_text, seed, shown) for name, value in request.inputs.items()}
    drawing = own_seeds(request, api)
    said = Said(request, prompt, answer, declared, recorded.call, draws_a_seed=bool(drawing))
    settings = Settings(
        {
            **_asked(request, asked, api),
            SEED: said.seed,
            **file_settings(info, "the hosted file"),
            f"output.{counted(clip.medium)}": Setting(len(clip.frames), Origin.OBSERVED, "decoded"),
            **observed_settings(seen.call),
        }
    )
    return Produced(
        clip=clip,
        settings=with_declared(settings, declared, prompt),
        described=f"Space {plain(request.id)} {plain(request.endpoint)}",
        seconds=time.monotonic() - started,
        original=original,
        encoding=describe(info),
        audio=info.audio,
        warnings=(
            *(*_about_the_seed(said), *(sentences(drawing) if said.seed.value is None else ())),
            *(*info.notes, *seen.warnings, *warnings_of(declared, prompt)),
        ),
        hosted={**observed_machine(seen.call), **answer.hosted, **_hosted_api(answer)},
        seed_echoed=answer.seed,
        instead=said.instead(asked),
        trace=seen.call.trace if seen.call else None,
        used_cache="" if answer.used_cache == "unknown" else answer.used_cache,
        censored=seen.call.censored if seen.call else (),
    )


def _hosted_api(answer: Answered) -> dict[str, str]:
    """Return the digest of the endpoint's schema, by which a later audit notices that the endpoint has changed."""
    return {"api schema": answer.schema_digest[:_SHOWN_OF_DIGEST]} if answer.schema_digest else {}


def _recorded(answer: Answered) -> Recorded:
    call = None if answer.recorded is None else RecordedCall.model_validate(answer.recorded)
    return Recorded(call, answer.recorded_warnings)


def _about_the_seed(said: Said) -> tuple[str, ...]:
    """Warn of a seed that was not sent, and of one that the Space should have reported."""
    unsent = () if sends_seed(said.request) else ("the seed was not sent: no input of the Space contains {seed}",)
    index = said.request.outputs.get("seed")
    if index is None or said.answer.seed is not None:
        return unsent
    return (*unsent, f"output {index} of the Space should be the seed, but is not an integer")


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

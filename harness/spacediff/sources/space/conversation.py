"""The process that speaks with a Space: `python -m spacediff.sources.space.conversation`; see `asking`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stamina.instrumentation
from stamina.instrumentation import RetryDetails

from spacediff.conversing import Channel, serve
from spacediff.errors import NotMeasuredError, SpaceAnswerTooLarge, disk_full
from spacediff.hub.space_errors import explained
from spacediff.privacy.private_prompts import private
from spacediff.sources.space.answers import MAX_BYTES, download_all, file_addresses
from spacediff.sources.space.client import awaited, connected
from spacediff.sources.space.echoes import echoed_in
from spacediff.sources.space.messages import Answered, Ask, Declared, Failed
from spacediff.sources.space.overhearing import overhear
from spacediff.sources.space.probe import Recorded, recorded_by_probe
from spacediff.sources.space.request import Api, SpaceRequest, checked_api, declared_apis, filled
from spacediff.sources.space.uploads import as_expected, handles_of

_MOST_CHARACTERS = 2**22
"""Of an answer as JSON, besides the clip."""
_MOST_OF_RECORDING = 2**21
"""Of that, what a probe may have recorded."""
_SLACK = 2**26
"""Bytes that a file may have besides the largest clip, so that one that is too large is noticed and not only cut."""
_KEPT = ("label", "component", "type", "parameter_default", "parameter_has_default")
"""What is passed on of a parameter."""


def main() -> None:
    """Answer what is asked until the audit ends."""
    serve(_answered, MAX_BYTES + _SLACK)


def _answered(asked: dict[str, Any], channel: Channel) -> Mapping[str, Any]:
    def waiting(details: RetryDetails) -> None:
        channel.on_status(f"no answer; asking again in {details.wait_for:.0f} s")

    stamina.instrumentation.set_on_retry_hooks([waiting])
    ask = Ask.model_validate(asked)
    request = SpaceRequest(**ask.request)
    try:
        with private(ask.private_texts), explained(request.id):
            answer = _ANSWERS[ask.kind](ask, request, channel).model_dump_json()
            if len(answer) > _MOST_CHARACTERS:
                raise SpaceAnswerTooLarge(f"Space {request.id} describes itself in {len(answer):,} characters")
            return Answered.model_validate_json(answer).model_dump(mode="json")
    except NotMeasuredError as error:
        known = disk_full(error) or error
        wait = getattr(error, "wait_seconds", None)
        return Failed(code=known.code, message=known.message, hint=known.hint, wait_seconds=wait).model_dump()


def _listed(ask: Ask, request: SpaceRequest, channel: Channel) -> Answered:
    with connected(request, channel, time.monotonic() + ask.seconds, patient=True) as (client, hosted):
        endpoints = {
            name: Declared(
                inputs=_kept(api),
                outputs=tuple((each.label, each.component) for each in api.outputs),
                schema_digest=api.schema,
            )
            for name, api in declared_apis(client).items()
        }
        return Answered(hosted=hosted, inputs={}, outputs_listed="", probed=False, endpoints=endpoints)


def _looked(ask: Ask, request: SpaceRequest, channel: Channel) -> Answered:
    with connected(request, channel, time.monotonic() + ask.seconds, patient=False) as (client, hosted):
        return _described(checked_api(client, request), hosted)


def _fetched(ask: Ask, request: SpaceRequest, channel: Channel) -> Answered:
    ends, folder = time.monotonic() + ask.seconds, Path(ask.folder)
    with connected(request, channel, ends, patient=True) as (client, hosted):
        api = checked_api(client, request)
        files = handles_of(ask.files)
        sent = {name: filled(value, ask.prompt, ask.seed, files) for name, value in request.inputs.items()}
        # By position, because a parameter may be called `headers`, like an argument of submit().
        arguments = [
            as_expected(sent[name], parameter) if name in sent else parameter.get("parameter_default")
            for name, parameter in api.inputs.items()
        ]
        overheard = overhear(client)
        job = client.submit(*arguments, api_name=request.endpoint)
        channel.on_cancel = job.cancel
        result = awaited(job, channel)
        outputs = result if isinstance(result, tuple) else (result,)
        addresses = file_addresses(outputs, request, client.src_prefixed, api.outputs_listed)
        channel.on_status("fetching the result")
        file = download_all(addresses, client.headers, client.cookies, folder, ask.most_bytes)
        recorded, notes = _recorded(recorded_by_probe(client, folder, ends)) if api.probed else (None, ())
    echoed = echoed_in(outputs, api.outputs, request.outputs)
    return _described(api, hosted).model_copy(
        update={
            "file": file.name,
            "seed": echoed.seed,
            "prompt": echoed.prompt,
            "seed_at": echoed.seed_at,
            "prompt_at": echoed.prompt_at,
            "used_cache": overheard.used_cache,
            "work_seconds": overheard.work_seconds,
            "recorded": recorded,
            "recorded_warnings": notes,
        }
    )


def _recorded(seen: Recorded) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return what a probe has recorded, as plain data, and warnings; one too long for an answer costs no clip."""
    if seen.call is None:
        return None, seen.warnings
    if (length := len(seen.call.model_dump_json())) > _MOST_OF_RECORDING:
        return None, (*seen.warnings, f"what the Space's probe recorded is not used: it has {length:,} characters")
    return seen.call.model_dump(), seen.warnings


def _described(api: Api, hosted: dict[str, str]) -> Answered:
    return Answered(
        hosted=hosted,
        inputs=_kept(api),
        outputs_listed=api.outputs_listed,
        probed=api.probed,
        schema_digest=api.schema,
    )


def _kept(api: Api) -> dict[str, dict[str, Any]]:
    return {name: {key: each[key] for key in _KEPT if key in each} for name, each in api.inputs.items()}


_ANSWERS = {"list": _listed, "look": _looked, "fetch": _fetched}


if __name__ == "__main__":
    main()

"""The source of an API: huggingface_hub's `InferenceClient` asks a provider, or an address that serves a model.

An API says little: which scheduler and how many steps it takes by default is unknown, and stays so in the record.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spacediff.errors import (
    ApiBusy,
    ApiOutputUnusable,
    ApiQuotaExceeded,
    ApiRefused,
    ApiTimedOut,
    ApiUnavailable,
    InputUnusable,
    VideoNotReadable,
)
from spacediff.hub.partners import Partner
from spacediff.inputs.files import Input, ensure_unchanged
from spacediff.privacy.short_lines import short_line
from spacediff.processes import child_environment
from spacediff.progress import Progress
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.unsaid import with_unsaid
from spacediff.sources.video import take

_CALL = "spacediff.hub.inference_call"
_MOST_MEMORY = 2**31
"""Bytes by which the process of a call may grow; the answer is in its memory."""
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE")
_OF_CALL = frozenset({"negative_prompt", "num_inference_steps", "guidance_scale", "height", "width", "num_frames"})
"""Arguments that mean what they mean for a pipeline's call."""
_LONGEST_QUOTE = 200
_UNAUTHORISED, _NO_CREDITS, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _LOADING = 401, 402, 403, 404, 429, 503


def call_api(run: Run, folder: Path, progress: Progress) -> Produced:
    """Ask an API for a clip.

    Args:
        run: A run whose source is an API.
        folder: Folder for the unmodified answer.
        progress: Receives the progress.

    Raises:
        ApiUnavailable: There is no clip; the class says why.
        InputUnusable: The task needs a picture that the prompt does not have, or it has changed.
    """
    request, prompt = run.request, run.prompt
    provider = str(request.get("provider", ""))
    image = _image(request["task"], prompt)
    arguments = {name: prompt.seed if value == "{seed}" else value for name, value in request["arguments"].items()}
    began = time.monotonic()
    progress.on_status(f"waiting for {request['model']}")
    with TemporaryDirectory(prefix="spacediff-api-") as scratch:
        asked = {
            "task": request["task"],
            "model": request["model"],
            "provider": provider,
            "prompt": prompt.text,
            "image": image,
            "arguments": arguments,
            "folder": scratch,
        }
        answer = _answer(asked, float(request["deadline"]))
        if "error" in answer:
            raise _error(answer["error"], private=prompt.private)
        taken = _taken(Path(scratch) / Path(str(answer["file"])).name, folder, prompt)
    return replace(
        taken,
        settings=with_unsaid(taken.settings.changed_by(_sent(run, arguments))),
        described=f"{request['task']} of {request['model']}{f' by {provider}' if provider else ''}",
        seconds=time.monotonic() - began,
        warnings=(*taken.warnings, *_without_seed(request)),
        hosted={"provider": provider or "its own address", "model": request["model"]},
    )


def _image(task: str, prompt: Prompt) -> str:
    if not task.startswith("image_"):
        return ""
    given: Input | None = next((each for each in prompt.inputs if each.name == "image"), None)
    if given is None:
        raise InputUnusable(f"{task} needs a picture", hint='name it in [prompts.NAME.inputs]: image = "first.png"')
    ensure_unchanged(given)
    return given.files[0].path


def _sent(run: Run, arguments: Mapping[str, Any]) -> Settings:
    request = run.request
    private = {"negative_prompt"} if run.prompt.private else set()
    sent = {name: value for name, value in arguments.items() if value != run.prompt.seed or name != "seed"}
    call = {name: value for name, value in sent.items() if name in _OF_CALL - private}
    api = {"task": request["task"], "model": request["model"], "provider": request.get("provider", "")}
    others = {f"api.{name}": value for name, value in sent.items() if name not in _OF_CALL}
    return Settings.of({"call": call, "api": api, **others}, Origin.DECLARED, "reference.inference")


def _without_seed(request: Mapping[str, Any]) -> tuple[str, ...]:
    if "{seed}" in request["arguments"].values():
        return ()
    return ('the API is not given the seed, so that no seed here can match its own; arguments = { seed = "{seed}" }',)


def _answer(asked: Mapping[str, Any], deadline: float) -> dict[str, Any]:
    """Make the call in a process of its own, which is ended at the deadline.

    Raises:
        ApiTimedOut: The deadline has passed.
        ApiOutputUnusable: The answer is too large to be a clip.
        ApiUnavailable: The process died.
    """
    api = Partner(
        _CALL,
        "the API",
        lambda _: ApiTimedOut(f"the API gave no clip in {deadline:g} s", hint="set a longer deadline"),
        overgrown=ApiOutputUnusable,
        ended=ApiUnavailable,
        look_at="such an answer is no clip: check the task and the model",
        most_memory=_MOST_MEMORY,
        environment=_environ(str(asked["model"])),
    )
    return api.answer(asked, time.monotonic() + deadline)


def _environ(model: str) -> dict[str, str]:
    """Return the variables of the call. A token goes to the Hub and its providers, and to no other address."""
    environ = child_environment()
    if model.startswith(("http://", "https://")):
        environ = {name: value for name, value in environ.items() if name not in _TOKENS}
        environ |= {"HF_TOKEN_PATH": os.devnull, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    return environ


def _error(found: Mapping[str, Any], *, private: bool) -> ApiUnavailable:
    """Return the error that an answer stands for; a server may quote a private prompt in other words."""
    status, kind = found.get("status"), str(found.get("kind"))
    said = "" if private else f": {short_line(str(found.get('message')).strip(), _LONGEST_QUOTE)}"
    if kind == "UnidentifiedImageError":
        return ApiOutputUnusable("the answer of the API is no picture")
    if status == _NO_CREDITS:
        return ApiQuotaExceeded(
            f"the credits for the API are used up{said}", hint="see the billing page of your account"
        )
    if status in {_TOO_MANY, _LOADING}:
        why = "limits the rate of requests" if status == _TOO_MANY else "has not loaded the model yet"
        after = str(found.get("retry_after") or "")
        hint = f"run the same command again in {after} s" if after.isdecimal() else "run the same command again later"
        return ApiBusy(f"the API {why}{said}", hint=hint)
    if status in {_UNAUTHORISED, _FORBIDDEN} or "api_key" in said:
        return ApiRefused(f"the API refuses the request{said}", hint="log in with `hf auth login`, or set HF_TOKEN")
    if status == _NOT_FOUND or kind in {"ValueError", "TypeError", "StopIteration"}:
        hint = "check task, model, provider and arguments in reference.inference"
        return ApiRefused(f"the API does not serve this request{said}", hint=hint)
    return ApiUnavailable(f"the API failed{f' with status {status}' if status else ''}{said}")


def _taken(file: Path, folder: Path, prompt: Prompt) -> Produced:
    try:
        return take(file, folder, prompt)
    except VideoNotReadable as error:
        begins = file.read_bytes()[:_LONGEST_QUOTE].decode("utf-8", "replace").strip() if file.is_file() else ""
        shown = begins.isascii() and not prompt.private
        quoted = f"; it begins with {short_line(begins, _LONGEST_QUOTE)}" if shown else ""
        raise ApiOutputUnusable(f"the answer of the API is no video{quoted}") from error

"""An API as the reference: a real server, asked by huggingface_hub's own client in a process of its own."""

from __future__ import annotations

import base64
import functools
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import (
    ApiBusy,
    ApiOutputUnusable,
    ApiQuotaExceeded,
    ApiRefused,
    ApiTimedOut,
    ApiUnavailable,
    InputUnusable,
)
from spacediff.progress import SilentListener
from spacediff.run import Run
from spacediff.settings import Origin
from spacediff.sources import Produced, inference
from spacediff.sources.inference import call_api
from support.api_stand_in import ApiStandIn, api_stand_in, routed_through
from support.input_files import picture, write_video
from support.programs import reference_of
from support.scenarios import mistakes_in

slow = functools.partial(pytest.param, marks=pytest.mark.slow)
TOKEN = "hf_" + "x" * 30

SCENARIO = """\
title = "t"
[prompts.p]
text = "a lemon"
seed = 42
{inputs}
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random", dtype = "float32" }}
[reference.inference]
{table}
"""


@pytest.fixture(scope="module")
def api() -> Iterator[ApiStandIn]:
    with api_stand_in() as served:
        yield served


@pytest.fixture(autouse=True)
def fresh(api: ApiStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    api.asked.clear()
    api.endless, api.stalls = False, 0.0


def png() -> bytes:
    written = io.BytesIO()
    picture(1).save(written, "PNG")
    return written.getvalue()


def text_of(inputs: str = "", **keys: Any) -> str:
    table = "\n".join(f"{name} = {value if name == 'arguments' else json.dumps(value)}" for name, value in keys.items())
    return SCENARIO.format(inputs=inputs, table=table)


def image_run(api: ApiStandIn, folder: Path, **more: Any) -> Run:
    return reference_of(text_of(task="text_to_image", model=f"{api.url}/x", **more), folder)


def produced(run: Run, folder: Path) -> Produced:
    return call_api(run, folder, SilentListener())


def test_a_picture_is_kept_as_it_came_and_what_is_unsaid_is_unknown(api: ApiStandIn, tmp_path: Path) -> None:
    api.gives(200, png(), Content_Type="image/png")
    arguments = '{ seed = "{seed}", num_inference_steps = 4, sampler = "own" }'
    found = produced(image_run(api, tmp_path, arguments=arguments), tmp_path)
    assert found.original is not None
    assert found.original.read_bytes() == png()
    ((_, authorization, body),) = api.asked
    assert json.loads(body) == {
        "inputs": "a lemon",
        "parameters": {"seed": 42, "num_inference_steps": 4, "sampler": "own"},
    }
    assert authorization == "", "a token goes to no address"
    assert found.settings["call.num_inference_steps"].origin is Origin.DECLARED
    assert found.settings.value("api.sampler") == "own"
    assert found.settings["scheduler.class"].origin is Origin.UNKNOWN
    assert found.settings["call.guidance_scale"].origin is Origin.UNKNOWN
    assert found.warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["text_to_video", "image_to_video"])
def test_a_provider_gets_the_token_and_gives_a_video(
    task: str, api: ApiStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_video(tmp_path / "v.mp4").read_bytes()

    def answer(path: str, _: bytes) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/api/models/"):
            mapping = {"fal-ai": {"status": "live", "providerId": "fal-ai/wan", "task": task.replace("_", "-")}}
            return 200, {}, json.dumps({"id": "org/wan", "inferenceProviderMapping": mapping}).encode()
        if path.startswith("/router/fal-ai/fal-ai/wan"):
            queued = {"request_id": "1", "status": "COMPLETED", "response_url": f"{api.url}/result"}
            return 200, {}, json.dumps(queued).encode()
        if path.startswith("/result"):
            return 200, {}, json.dumps({"video": {"url": f"{api.url}/v.mp4"}}).encode()
        return 200, {}, video

    api.answer = answer
    for name, value in routed_through(api, tmp_path).items():
        kept = os.environ.get(name, "") if name == "PYTHONPATH" else ""
        monkeypatch.setenv(name, os.pathsep.join(filter(None, (value, kept))))
    picture(2).save(tmp_path / "given.png")
    inputs = 'inputs = { image = "given.png" }' if task == "image_to_video" else ""
    text = text_of(inputs, task=task, model="org/wan", provider="fal-ai", arguments='{ seed = "{seed}" }')
    found = produced(reference_of(text, tmp_path), tmp_path)
    assert found.original is not None
    assert found.original.read_bytes() == video
    assert found.clip.frames.shape == (9, 64, 64, 3)
    posted = next(each for each in api.asked if each[0].startswith("/router"))
    assert posted[1] == f"Bearer {TOKEN}"
    body = json.loads(posted[2])
    sent = body.pop("image_url", "").partition("base64,")[2]
    assert body == {"prompt": "a lemon", "seed": 42}
    assert base64.b64decode(sent) == ((tmp_path / "given.png").read_bytes() if inputs else b"")
    assert found.described == f"{task} of org/wan by fal-ai"


def test_a_picture_of_the_prompt_is_sent(api: ApiStandIn, tmp_path: Path) -> None:
    api.gives(200, png())
    picture(2).save(tmp_path / "given.png")
    text = text_of('inputs = { image = "given.png" }', task="image_to_image", model=f"{api.url}/x")
    found = produced(reference_of(text, tmp_path), tmp_path)
    assert json.loads(api.asked[0][2])["parameters"] == {"prompt": "a lemon"}
    assert "not given the seed" in " ".join(found.warnings)
    with pytest.raises(InputUnusable, match="image_to_image needs a picture"):
        produced(reference_of(text_of(task="image_to_image", model=f"{api.url}/x"), tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((401, {"error": f"bad {TOKEN}"}, {}), ApiRefused, "refuses the request.*hf auth login"),
        pytest.param(
            (402, {"error": "credits"}, {}), ApiQuotaExceeded, "credits for the API are used up", marks=pytest.mark.slow
        ),
        pytest.param(
            (404, {"error": "no model"}, {}), ApiRefused, "does not serve.*check task, model", marks=pytest.mark.slow
        ),
        ((429, {"error": "slow"}, {"Retry_After": "30"}), ApiBusy, "limits the rate.*in 30 s"),
        pytest.param(
            (503, {"error": "loading"}, {}), ApiBusy, "not loaded the model yet.*later", marks=pytest.mark.slow
        ),
        pytest.param(
            (500, {"error": "CUDA\x1b[2J out"}, {}), ApiUnavailable, "failed with status 500", marks=pytest.mark.slow
        ),
        ((200, b"<html>sign in</html>", {"Content_Type": "text/html"}), ApiOutputUnusable, "no picture"),
        slow((200, b"", {}), ApiOutputUnusable, "no picture"),
    ],
)
def test_an_answer_without_a_picture_says_why(
    answer: tuple[int, Any, dict[str, str]], error: type[ApiUnavailable], said: str, api: ApiStandIn, tmp_path: Path
) -> None:
    status, body, headers = answer
    api.gives(status, body, **headers)
    with pytest.raises(error, match=said.partition(".*")[0]) as caught:
        produced(image_run(api, tmp_path), tmp_path)
    assert type(caught.value) is error
    assert said.partition(".*")[2] in caught.value.hint
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"
    assert "\x1b" not in caught.value.message


def test_a_body_that_stalls_ends_at_the_deadline(api: ApiStandIn, tmp_path: Path) -> None:
    api.gives(200, png())
    api.stalls = 60.0
    began = time.monotonic()
    with pytest.raises(ApiTimedOut, match=r"gave no clip in 2\.5 s"):
        produced(image_run(api, tmp_path, deadline=2.5), tmp_path)
    assert time.monotonic() - began < 15


@pytest.mark.slow
def test_an_endless_body_is_bounded(api: ApiStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "_MOST_MEMORY", 2**28)
    api.gives(200, png())
    api.endless = True
    with pytest.raises(ApiOutputUnusable, match=r"the API sends answers that need more than 256 MiB"):
        produced(image_run(api, tmp_path, deadline=60), tmp_path)


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        ({"model": "org/wan"}, "provider", "the provider that serves it"),
        ({"model": "org/wan", "provider": "auto"}, "provider", "depends on the account"),
        ({"model": "http://h/x", "provider": "fal-ai"}, "provider", "model is an address"),
        ({"model": "http://u:p@h/x"}, "model", "without password"),
        ({"model": "http://h/x", "task": "text_to_text"}, "task", "one of text_to_video"),
        ({"model": "http://h/x", "arguments": '{ prompt = "x" }'}, "arguments.prompt", "spacediff passes it"),
    ],
)
def test_mistakes_are_named(keys: dict[str, Any], key: str, expected: str) -> None:
    (mistake,) = mistakes_in(text_of(**{"task": "text_to_image", **keys}))
    assert mistake.key == f"reference.inference.{key}"
    assert expected in mistake.expected

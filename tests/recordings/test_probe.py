"""The probe in a real Gradio app: what it gives to whom, and that the app never notices it."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import gradio_client
import httpx
import numpy as np
import pytest
from gradio_client.exceptions import AppError

from spacediff.clip import Clip, write_preview
from spacediff.recordings import Recording
from spacediff.settings import Origin
from spacediff.sources import Produced
from spacediff.sources.space import SpaceRequest, fetch
from spacediff.watch.sessions import KEPT_SECONDS, MOST_BYTES, MOST_SESSIONS, LastRecordings
from support.gradio_servers import SpaceApp
from support.probed_app import CALL, OWNERS, probed_app
from support.space_requests import RememberingListener

PROMPT = "a yellow lemon"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpaceApp]:
    folder = tmp_path_factory.mktemp("probed")
    write_preview(Clip(np.zeros((5, 32, 48, 3), np.uint8), Fraction(8)), folder / "clip.mp4")
    with probed_app(folder) as running:
        yield running


Visitor = Callable[[], gradio_client.Client]


@pytest.fixture
def visitor(app: SpaceApp) -> Iterator[Visitor]:
    opened: list[gradio_client.Client] = []

    def connect() -> gradio_client.Client:
        opened.append(gradio_client.Client(app.url, verbose=False, download_files=False))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def generate(client: gradio_client.Client, name: str, prompt: str = PROMPT) -> None:
    client.predict(prompt, 42, api_name=f"/{name}")


def recording_of(client: gradio_client.Client) -> Recording | None:
    packed = base64.b64decode(client.predict(api_name="/spacediff_recording")["recording"])
    if not packed:
        return None
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return Recording.model_validate_json(archive.read("recording.json"))


def prompts_of(client: gradio_client.Client) -> list[str]:
    found = recording_of(client)
    return [call.prompt for call in found.calls] if found else []


def fetched(app: SpaceApp, name: str, folder: Path, prompt: str = PROMPT, *, private: bool = False) -> Produced:
    request = SpaceRequest(
        app.url, f"/{name}", {"prompt": "{prompt}", "seed_value": "{seed}"}, {"video": 0}, deadline=60
    )
    return fetch(request, prompt, 42, folder, RememberingListener(), private=private)


@pytest.mark.parametrize("name", ["here", "on_gpu"])
def test_settings_and_steps_of_the_space_are_observed(app: SpaceApp, name: str, tmp_path: Path) -> None:
    produced = fetched(app, name, tmp_path)
    assert produced.warnings == ()
    settings = produced.settings
    seen = {path for path, setting in settings.items() if setting.origin is Origin.OBSERVED}
    assert {path.partition(".")[0] for path in seen} >= {"scheduler", "call", "rng", "numerics", "placement", "vae"}
    assert settings["call.num_inference_steps"].value == CALL["num_inference_steps"]
    assert settings["scheduler.class"].value == "CogVideoXDDIMScheduler"
    assert settings["rng.seed"].value == 42
    assert settings["rng.seed"].where.startswith("recorded by the Space's probe at probed_app.py:")
    assert produced.trace is not None
    assert len(produced.trace.steps) == CALL["num_inference_steps"]
    assert produced.hosted["diffusers"]
    assert [each.name for each in tmp_path.iterdir()] == ["hosted.mp4"]


def test_nothing_is_left_where_it_was_handed_over(app: SpaceApp, visitor: Visitor) -> None:
    client = visitor()
    generate(client, "on_gpu")
    assert prompts_of(client) == [PROMPT]
    assert list(app.folder.glob("spacediff-probe-*")) != []
    assert list(app.folder.glob("spacediff-probe-*/*")) == []


def test_each_visitor_gets_their_own_recording_once(visitor: Visitor) -> None:
    """The worker was forked in the event of the first one, whose request it keeps."""
    visitors = [visitor() for _ in range(3)]
    stranger = visitor()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: generate(each[1], "on_gpu", f"lemon {each[0]}"), enumerate(visitors)))
    assert prompts_of(stranger) == []
    assert [prompts_of(each) for each in visitors] == [["lemon 0"], ["lemon 1"], ["lemon 2"]]
    assert [prompts_of(each) for each in visitors] == [[], [], []]


def test_calls_at_the_same_time_are_never_another_visitors(visitor: Visitor) -> None:
    visitors = [visitor() for _ in range(3)]

    def generate_of(number: int) -> None:
        with suppress(AppError):  # a pipeline in two threads may fail: they share its scheduler
            generate(visitors[number], "twice", f"lemon {number}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(generate_of, range(3)))
    found = [recording_of(each) for each in visitors]
    for number, each in enumerate(found):
        assert each is not None
        assert {call.prompt for call in each.calls} <= {"an earlier stage", f"lemon {number}"}
    assert any(each is not None and each.calls for each in found)


def test_the_last_recording_of_a_session_is_given(visitor: Visitor) -> None:
    client = visitor()
    generate(client, "here", "an earlier one")
    generate(client, "here", "the last one")
    generate(client, "nothing")
    assert prompts_of(client) == ["the last one"]


def test_a_call_whose_visitor_is_not_known_is_nobodys(app: SpaceApp, visitor: Visitor, tmp_path: Path) -> None:
    client = visitor()
    generate(client, "in_a_worker")
    assert prompts_of(client) == []
    produced = fetched(app, "in_a_worker", tmp_path)
    assert produced.trace is None
    assert produced.warnings == (
        "what the Space's probe recorded is not used: it has recorded no pipeline call of this session",
    )


def test_without_a_session_nothing_is_given(app: SpaceApp, visitor: Visitor) -> None:
    generate(visitor(), "here")
    for session in (None, "", "another"):
        address = f"{app.url}/gradio_api/run/spacediff_recording"
        answer = httpx.post(address, json={"data": [], "session_hash": session}, trust_env=False).json()
        assert answer["data"] == [{"recording": ""}]


def test_a_recording_has_no_secret_no_variable_and_no_folder(visitor: Visitor) -> None:
    client = visitor()
    generate(client, "here", f"{OWNERS}, /home/owner/model")
    found = recording_of(client)
    assert found is not None
    (call,) = found.calls
    assert "OMP_NUM_THREADS" not in call.machine
    assert "model.id" not in call.settings, "it is a folder"
    own = json.dumps(call.model_copy(update={"prompt": None}).model_dump(mode="json"))
    assert "/" not in own.replace("probed_app.py", "").replace("1/", "")
    assert OWNERS not in own


def test_a_prompt_that_the_space_changes_is_noted_and_kept_only_where_it_is_not_private(
    app: SpaceApp, tmp_path: Path
) -> None:
    warning = "the Space gave its pipeline another prompt than it was sent"
    for private in (False, True):
        produced = fetched(app, "with_secret", tmp_path, private=private)
        assert produced.warnings == (warning,)
        assert not [path for path, each in produced.settings.items() if OWNERS in str(each.value)]


def test_of_several_calls_the_last_is_the_one(app: SpaceApp, tmp_path: Path) -> None:
    produced = fetched(app, "twice", tmp_path)
    assert produced.warnings == ("the Space made 2 pipeline calls; settings and steps are those of the last one",)
    last = fetched(app, "here", tmp_path).trace
    assert last is not None
    assert produced.trace is not None
    assert last.steps == produced.trace.steps


def test_the_app_has_what_it_had(visitor: Visitor) -> None:
    client = visitor()
    endpoints = client.view_api(print_info=False, return_format="dict")
    assert isinstance(endpoints, dict)
    named = endpoints["named_endpoints"]
    assert [*named][-1] == "/spacediff_recording"
    assert [each["label"] for each in named["/here"]["parameters"]] == ["prompt", "seed"]


def test_what_nobody_fetches_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    kept = LastRecordings()
    kept.keep("a", b"1")
    now += KEPT_SECONDS - 1
    kept.keep("b", b"2")
    now += 2
    assert (kept.taken("a"), kept.taken("b"), kept.taken("b")) == (b"", b"2", b"")


def test_many_or_large_recordings_are_not_kept() -> None:
    kept = LastRecordings()
    for number in range(MOST_SESSIONS + 1):
        kept.keep(str(number), b"1")
    assert (kept.taken("0"), kept.taken("1")) == (b"", b"1")
    kept.keep("2", b"2" * (MOST_BYTES + 1))
    assert kept.taken("2") == b""


def test_a_recorder_that_fails_does_not_fail_the_app(app: SpaceApp, tmp_path: Path) -> None:
    log = app.folder / "log"
    before = len(log.read_text("utf-8"))
    produced = fetched(app, "breaking", tmp_path)
    for broken in app.folder.glob("spacediff-probe-*"):  # other tests of this app may come after this one
        broken.unlink()
        broken.mkdir()
    assert len(produced.clip.frames) == 5
    assert produced.trace is None
    assert "no pipeline call of this session" in produced.warnings[0]
    assert "Traceback" not in log.read_text("utf-8")[before:]

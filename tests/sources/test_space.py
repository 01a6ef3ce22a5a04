from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio
import numpy as np
import pytest

from spacediff.clip import Clip, read_clip, write_lossless, write_preview
from spacediff.errors import (
    DeadlineExceeded,
    Exit,
    NotMeasuredError,
    QuotaExceeded,
    SpaceApiMismatch,
    SpaceFailed,
    SpaceNeedsLogin,
    SpaceNotFound,
    SpaceOutputUnusable,
    SpaceUnavailable,
    SpaceUnreachable,
)
from spacediff.settings import Origin
from spacediff.sources import Produced
from spacediff.sources.space import SpaceRequest, answers, client, fetch
from support.gradio_servers import HOSTILE_LABEL, STEP_SECONDS, SpaceApp, canary, relay, space_app
from support.hub_stand_in import HubStandIn, Space, hub_stand_in

TOKEN = "hf_" + "PlantedToBeFoundNowhere0123456789"
PROMPT = "A hand squeezes half a lemon"
BOTH = {"video": 0, "seed": 1}
QUOTA = (
    "You have exceeded your GPU quota (60s requested vs. 0s left). "
    '<a style="white-space: nowrap" href="https://huggingface.co/join">Create a free account</a> to get more.'
)


class RememberingListener:
    """A Progress that remembers what it is told, and can interrupt."""

    def __init__(self, at_step: Callable[[], None] = lambda: None) -> None:
        self.texts: list[str] = []
        self.steps: list[tuple[int, int]] = []
        self.at_step = at_step

    def on_status(self, text: str) -> None:
        self.texts.append(text)

    def on_step(self, done: int, total: int) -> None:
        self.steps.append((done, total))
        self.at_step()


@pytest.fixture(scope="module")
def heard_elsewhere() -> Iterator[tuple[str, list[bytes]]]:
    with canary() as address_and_heard:
        yield address_and_heard


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, heard_elsewhere: tuple[str, list[bytes]]) -> Iterator[SpaceApp]:
    folder = tmp_path_factory.mktemp("hosted")
    frames = np.random.default_rng(0).integers(0, 255, (9, 32, 48, 3), dtype=np.uint8)
    clip = Clip(frames, Fraction(8))
    write_preview(clip, folder / "clip.mp4")
    whole = (folder / "clip.mp4").read_bytes()
    (folder / "odd name %2e%2e;`x`#?.mp4").write_bytes(whole)
    imageio.mimwrite(folder / "index at its end.mp4", list(frames), fps=8)
    (folder / "broken.mp4").write_bytes((folder / "index at its end.mp4").read_bytes()[:3000])
    (folder / "page.mp4").write_text("<html>not a video</html>")
    (folder / "empty.mp4").write_bytes(b"")
    write_lossless(clip, folder / "clip.mkv")
    (folder / "clip.mkv").rename(folder / "mkv in truth.webm")
    with space_app(folder, heard_elsewhere[0]) as running:
        yield running


@pytest.fixture(autouse=True)
def _poll_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "POLL_SECONDS", 0.02)


Ask = Callable[..., Produced]


@pytest.fixture
def ask(app: SpaceApp, tmp_path: Path) -> Ask:
    def fetched(
        name: str, *, prompt: str = PROMPT, seed: int = 42, progress: RememberingListener | None = None, **changes: Any
    ) -> Produced:
        return fetch(request_of(app, name, **changes), prompt, seed, tmp_path, progress or RememberingListener())

    return fetched


def request_of(app: SpaceApp, name: str, **changes: Any) -> SpaceRequest:
    seed = "seed" if name in ("slow", "defaults", "image_to_video") else "seed_value"
    plainly = SpaceRequest(app.url, f"/{name}", {"prompt": "{prompt}", seed: "{seed}"}, {"video": 0}, deadline=30)
    return replace(plainly, **changes)


def refused(ask: Ask, name: str, kind: type[NotMeasuredError], **changes: Any) -> NotMeasuredError:
    with pytest.raises(NotMeasuredError) as caught:
        ask(name, **changes)
    assert type(caught.value) is kind
    assert caught.value.exit_code is Exit.NOT_MEASURED
    return caught.value


def eventually(holds: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 5
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def test_the_file_is_kept_byte_for_byte_and_decoded(
    app: SpaceApp, ask: Ask, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = RememberingListener()
    produced = ask("plain", outputs=BOTH, progress=heard)
    assert [path.name for path in tmp_path.iterdir()] == ["hosted.mp4"]
    assert produced.original == tmp_path / "hosted.mp4"
    assert produced.original.read_bytes() == (app.folder / "clip.mp4").read_bytes()
    assert produced.clip.digest == read_clip(app.folder / "clip.mp4").digest
    assert produced.encoding == "h264 yuv420p 48x32, 8 fps, tv range, bt709 matrix, 12 kB"
    assert produced.described == f"Space {app.url} /plain"
    assert produced.hosted["address"] == app.url
    assert produced.hosted["gradio"].split(".")[0] in {"6", "7"}
    assert produced.seed_echoed == 42
    assert produced.warnings == ()
    assert produced.seconds > 0
    assert app.seen()["calls"][-1] == ["plain", PROMPT, 42]
    assert heard.texts[0] == f"connecting to {app.url}"
    assert heard.texts[-1] == "fetching the video"
    assert capfd.readouterr() == ("", "")


def test_settings_tell_what_was_sent_and_what_the_file_says(app: SpaceApp, ask: Ask) -> None:
    settings = ask("plain", outputs=BOTH).settings
    found = {path: (setting.value, setting.origin) for path, setting in settings.items()}
    expected = {
        "space.id": (app.url, Origin.DECLARED),
        "space.endpoint": ("/plain", Origin.DECLARED),
        "space.inputs.prompt": (PROMPT, Origin.DECLARED),
        "space.inputs.seed_value": (42, Origin.DECLARED),
        "rng.seed": (42, Origin.OBSERVED),
        "output.fps": (8, Origin.READ),
        "output.codec": ("h264", Origin.READ),
        "output.frames": (9, Origin.OBSERVED),
    }
    assert found.items() >= expected.items()


def test_inputs_left_out_take_the_defaults_of_the_space(app: SpaceApp, ask: Ask) -> None:
    settings = ask("defaults").settings
    assert app.seen()["calls"][-1] == ["defaults", PROMPT, 42, 7, "as it is", HOSTILE_LABEL]
    assert settings["space.inputs.guidance_scale"].value == 7
    assert settings["space.inputs.guidance_scale"].origin is Origin.DEFAULT
    assert settings["space.inputs.guidance_scale"].where == "API page of /defaults"
    assert settings["space.inputs.label"].value == "seed [31m"


def test_an_upload_left_out_stays_empty(app: SpaceApp, ask: Ask) -> None:
    settings = ask("image_to_video").settings
    assert app.seen()["calls"][-1] == ["image_to_video", PROMPT, None, 42]
    assert settings["space.inputs.image"].value is None
    assert "needs prompt at" in refused(ask, "image_to_video", SpaceApiMismatch, inputs={"seed": "{seed}"}).message


def test_an_input_may_be_called_as_an_argument_of_gradio_client_is(app: SpaceApp, ask: Ask) -> None:
    inputs = {"prompt": "{prompt}", "seed": "{seed}", "headers": "mine", "guidance_scale": 6.5}
    settings = ask("defaults", inputs=inputs).settings
    assert app.seen()["calls"][-1][3:5] == [6.5, "mine"]
    assert settings["space.inputs.guidance_scale"].origin is Origin.DECLARED


def test_placeholders_are_filled_in_once(app: SpaceApp, ask: Ask) -> None:
    inputs = {"prompt": "{prompt}, seed {seed}, {other}", "seed_value": "{seed}"}
    ask("plain", prompt="a {seed} and a {prompt}", inputs=inputs)
    assert app.seen()["calls"][-1] == ["plain", "a {seed} and a {prompt}, seed 42, {other}", 42]


@pytest.mark.parametrize(
    "name",
    ["plain", "update", "older", "older_file", "older_update", "in_a_list", "path_as_text", "as_file", "relative_url"],
)
def test_video_and_seed_are_found_in_every_shape(app: SpaceApp, ask: Ask, name: str) -> None:
    produced = ask(name, outputs=BOTH)
    assert produced.clip.digest == read_clip(app.folder / "clip.mp4").digest
    assert produced.seed_echoed == 42
    assert produced.warnings == ()


def test_an_endpoint_of_one_output_gives_no_tuple(ask: Ask) -> None:
    assert len(ask("single").clip.frames) == 9


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("text", "a text"),
        ("nothing", "nothing"),
        ("hidden", "a table of visible, __type__"),
        ("two_in_a_list", "a list of 2"),
        ("other_seed", "a number"),
    ],
)
def test_an_output_without_a_video_is_said_to_have_none(ask: Ask, name: str, what: str) -> None:
    index = 1 if name == "other_seed" else 0
    error = refused(ask, name, SpaceOutputUnusable, outputs={"video": index})
    assert error.message == f"output {index} of the Space holds no video but {what}"
    assert error.hint.startswith("its outputs are 0: ")


def test_another_seed_than_the_one_asked_for_is_warned_of(ask: Ask) -> None:
    produced = ask("other_seed", outputs=BOTH)
    assert produced.seed_echoed == 7
    assert produced.warnings == ("the Space says that it used seed 7, not 42",)
    assert produced.settings["rng.seed"].value == 7
    assert produced.settings["rng.seed"].origin is Origin.OBSERVED
    unasked = ask("other_seed")
    assert unasked.warnings == ()
    assert unasked.settings["rng.seed"].value == 42
    assert unasked.settings["rng.seed"].origin is Origin.DECLARED


def test_an_output_that_is_no_seed_is_warned_of(ask: Ask) -> None:
    produced = ask("single", outputs={"video": 0, "seed": 0})
    assert produced.seed_echoed is None
    assert produced.warnings == ("output 0 of the Space was to be the seed, but no integer came",)


def test_a_seed_that_is_not_sent_is_unknown(ask: Ask) -> None:
    produced = ask("plain", inputs={"prompt": "{prompt}", "seed_value": 5})
    assert produced.warnings == ("the seed was not sent: no input of the Space holds {seed}",)
    assert produced.settings["rng.seed"].origin is Origin.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"endpoint": "/plan"}, "has no endpoint /plan (did you mean '/plain'?)", "it has /plain, /single"),
        (
            {"inputs": {"prompt": "{prompt}", "seed": "{seed}"}},
            "has no parameter 'seed' at /plain",
            "/plain takes prompt (required), seed_value (required)",
        ),
        ({"inputs": {"seed_value": 1}}, "needs prompt at /plain", "/plain takes prompt (required)"),
        (
            {"outputs": {"video": 2}},
            "has no output 2 at /plain, which was to be the video",
            "0: Video 'clip', 1: Number",
        ),
        ({"outputs": {"video": 0, "seed": -1}}, "has no output -1 at /plain, which was to be the seed", "its outputs"),
    ],
)
def test_what_the_space_does_not_offer_is_said_before_quota_is_spent(
    app: SpaceApp, ask: Ask, changes: dict[str, Any], message: str, hint: str
) -> None:
    before = len(app.seen()["calls"])
    with pytest.raises(NotMeasuredError) as caught:
        ask("plain", **changes)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert len(app.seen()["calls"]) == before


def test_names_that_the_space_gives_are_cleaned(ask: Ask) -> None:
    error = refused(ask, "defaults", SpaceApiMismatch, outputs={"video": 5})
    assert error.hint.isprintable()
    assert error.hint == r"its outputs are 0: Video 'clip', 1: Number ' seed \x1b[31m'"


def test_a_misspelt_parameter_is_met_with_the_nearest(ask: Ask) -> None:
    error = refused(ask, "plain", SpaceApiMismatch, inputs={"promt": "{prompt}", "seed_value": "{seed}"})
    assert "has no parameter 'promt' at /plain (did you mean 'prompt'?)" in error.message


def test_an_error_of_the_app_is_shown_cleaned_and_bounded(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hostile = f"\x1b[2J<script>alert(1)</script> CUDA\x00 out of\nmemory \u202e {TOKEN} {Path.home()}/x " + "y" * 5000
    error = refused(ask, "fails", SpaceFailed, prompt=hostile)
    assert "reports an error of its own: [2J alert(1) CUDA out of memory [redacted]" in error.message
    assert error.message.isprintable()
    assert len(error.message) < 600
    assert TOKEN not in error.message + error.hint
    assert str(Path.home()) not in error.message


def test_an_error_that_the_app_keeps_to_itself_is_an_error(ask: Ask) -> None:
    assert "reports an error of its own: " in refused(ask, "fails", SpaceFailed, seed=0).message


def test_a_token_that_looks_like_nothing_is_redacted_all_the_same(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "opensesame")
    assert "say [redacted] now" in refused(ask, "fails", SpaceFailed, prompt="say opensesame now").message
    monkeypatch.setenv("HF_TOKEN", "another")
    assert "say opensesame now" in refused(ask, "fails", SpaceFailed, prompt="say opensesame now").message


def test_a_refusal_for_quota_says_what_to_do(ask: Ask) -> None:
    error = refused(ask, "fails", QuotaExceeded, prompt=QUOTA)
    assert "a GPU quota is used up: You have exceeded your GPU quota (60s requested vs. 0s left)." in error.message
    assert "HF_TOKEN" in error.hint
    assert "HF_TOKEN" not in refused(ask, "fails", SpaceFailed, prompt="You have exceeded your patience").hint


def test_steps_are_told_while_the_space_works(app: SpaceApp, ask: Ask) -> None:
    heard = RememberingListener()
    produced = ask("slow", seed=20, outputs=BOTH, progress=heard)
    assert produced.seed_echoed == 20
    assert len(heard.steps) > 2
    assert heard.steps == sorted(set(heard.steps))
    assert {total for _, total in heard.steps} == {20}
    assert "[31mdenoising" in heard.texts
    assert PROMPT in app.seen()["ended"]


def test_the_place_in_the_queue_is_told(app: SpaceApp, ask: Ask) -> None:
    other = threading.Thread(target=ask, args=("slow",), kwargs={"prompt": "queued before", "seed": 25})
    other.start()
    assert eventually(lambda: ["slow", "queued before", 25] in app.seen()["calls"])
    heard = RememberingListener()
    ask("slow", seed=2, progress=heard)
    other.join()
    assert any(text.startswith("number 1 of 1 in the queue") for text in heard.texts)


def test_the_deadline_ends_the_job_on_both_sides(app: SpaceApp, ask: Ask, tmp_path: Path) -> None:
    started = time.monotonic()
    error = refused(ask, "slow", DeadlineExceeded, prompt="too slow", seed=200, deadline=1.0)
    assert time.monotonic() - started < 200 * STEP_SECONDS / 2
    assert error.message == "the Space gave no clip within 1 s, queue included (last: [31mdenoising)"
    assert "deadline" in error.hint
    assert list(tmp_path.iterdir()) == []
    ask("slow", prompt="just in time", seed=2, deadline=10.0)  # would wait for the one before if that went on
    assert "just in time" in app.seen()["ended"]
    assert "too slow" not in app.seen()["ended"]


def test_ctrl_c_cancels_the_job(app: SpaceApp, ask: Ask) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask("slow", prompt="interrupted", seed=200, progress=RememberingListener(interrupt))
    ask("slow", prompt="after the interruption", seed=2, deadline=8.0)
    assert "interrupted" not in app.seen()["ended"]


@pytest.mark.parametrize("reset", [True, False])
def test_a_host_that_dies_meanwhile_is_a_reason_not_a_traceback(
    app: SpaceApp, ask: Ask, capfd: pytest.CaptureFixture[str], *, reset: bool
) -> None:
    with relay(app.port) as line:
        cutting = RememberingListener(lambda: line.cut(reset=reset))
        error = refused(ask, "slow", SpaceUnreachable, id=line.url, seed=100, progress=cutting)
    assert error.message == f"Space {line.url} closed the connection before the clip was finished"
    assert error.hint == "run the same command again"
    assert capfd.readouterr() == ("", "")


def test_other_threads_are_still_heard_while_the_clients_is_muted(capfd: pytest.CaptureFixture[str]) -> None:
    inside, done = threading.Event(), threading.Event()

    def muted() -> None:
        with client._muted_thread():
            sys.stderr.write("not to be seen")
            inside.set()
            done.wait(5)

    before = sys.stderr
    thread = threading.Thread(target=muted)
    thread.start()
    inside.wait(5)
    sys.stderr.write("to be seen")
    done.set()
    thread.join()
    assert sys.stderr is before
    assert capfd.readouterr().err == "to be seen"


def test_nobody_there(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = refused(ask, "plain", SpaceUnreachable, id=f"http://127.0.0.1:{port}")
    assert "cannot be reached: " in error.message
    assert "network" in error.hint


def test_a_host_that_says_nothing(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = refused(ask, "plain", SpaceUnreachable, id=f"http://127.0.0.1:{mute.getsockname()[1]}", deadline=0.3)
    assert "did not answer in time" in error.message


def test_an_address_without_a_gradio_app(app: SpaceApp, ask: Ask) -> None:
    error = refused(ask, "plain", SpaceUnavailable, id=f"{app.url}/seen")
    assert "answered in a way that is not understood: Could not " in error.message
    assert "does a Gradio app run there?" in error.hint


def test_an_app_behind_a_login(ask: Ask) -> None:
    with hub_stand_in({}) as closed:  # answers 401 to everything
        assert "asks for a login" in refused(ask, "plain", SpaceNeedsLogin, id=closed.url).message


def test_an_address_may_hold_no_password(ask: Ask, app: SpaceApp) -> None:
    error = refused(ask, "plain", SpaceNotFound, id=app.url.replace("http://", "http://me:opensesame@"))
    assert "may not hold a user name or password" in error.message
    assert "opensesame" not in error.message + error.hint


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("broken.mp4", "the video that the Space gave cannot be decoded: hosted.mp4 "),
        ("page.mp4", "the file that the Space gave is no video"),
        ("empty.mp4", "the file that the Space gave is no video"),
        ("missing.mp4", "the Space does not give its video out (HTTP 4"),
    ],
)
def test_a_file_that_is_no_whole_video(ask: Ask, file: str, message: str, tmp_path: Path) -> None:
    assert message in refused(ask, "file_named", SpaceOutputUnusable, prompt=file).message
    assert not (tmp_path / "hosted.part").exists()


@pytest.mark.parametrize(
    ("file", "kept_as"), [("odd name %2e%2e;`x`#?.mp4", "hosted.mp4"), ("mkv in truth.webm", "hosted.mkv")]
)
def test_the_kept_file_is_named_here(app: SpaceApp, ask: Ask, tmp_path: Path, file: str, kept_as: str) -> None:
    ask("file_named", prompt=file)
    assert [path.name for path in tmp_path.iterdir()] == [kept_as]
    assert (tmp_path / kept_as).read_bytes() == (app.folder / file).read_bytes()


def test_a_path_of_the_server_is_never_read_here(ask: Ask) -> None:
    assert (
        "the Space does not give its video out (HTTP 403)" in refused(ask, "not_given_out", SpaceOutputUnusable).message
    )


def test_a_file_that_is_too_large_is_refused(
    app: SpaceApp, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (app.folder / "clip.mp4").stat().st_size
    monkeypatch.setattr(answers, "MAX_BYTES", size - 1)
    assert (
        refused(ask, "plain", SpaceOutputUnusable).message
        == f"the Space's video is larger than {size - 1:,} bytes, which is refused"
    )
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(answers, "MAX_BYTES", size)
    ask("plain")


def test_a_file_that_breaks_off_half_way(ask: Ask, tmp_path: Path) -> None:
    assert "closed the connection: " in refused(ask, "half", SpaceUnreachable).message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["elsewhere", "stream_elsewhere", "leave"])
def test_a_space_cannot_send_us_to_another_host(ask: Ask, heard_elsewhere: tuple[str, list[bytes]], name: str) -> None:
    error = refused(ask, name, SpaceOutputUnusable)
    assert ("HTTP 307" if name == "leave" else "keeps its video on another host (127.0.0.1)") in error.message
    assert heard_elsewhere[1] == []


def test_the_canary_hears() -> None:
    with canary() as (address, heard):
        port = int(address.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(b"hello")
        assert eventually(lambda: heard == [b"hello"])


def test_an_address_never_gets_the_token(app: SpaceApp, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    ask("plain")
    assert [token for token in app.seen()["tokens"] if TOKEN in token] == []


def test_a_request_is_plain_data(app: SpaceApp) -> None:
    request = request_of(app, "plain")
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301 - our own bytes
    with pytest.raises(ValueError, match="which one is the video"):
        replace(request, outputs={"seed": 1})


ON_THE_HUB = """
import json, sys
from pathlib import Path
from spacediff.errors import NotMeasuredError
from spacediff.progress import SilentListener
from spacediff.sources.space import SpaceRequest, fetch

told = []
for request in json.loads(sys.argv[1]):
    try:
        produced = fetch(SpaceRequest(**request), "a lemon", 42, Path(sys.argv[2]), SilentListener())
        told.append({"digest": produced.clip.digest, "hosted": produced.hosted, "described": produced.described})
    except NotMeasuredError as error:
        told.append({"code": error.code, "message": error.message, "hint": error.hint})
assert "gradio" not in sys.modules  # takes seconds to import
print(json.dumps(told))
"""
"""A process of its own, because huggingface_hub reads HF_ENDPOINT when it is imported."""


@pytest.fixture(scope="module")
def hub(app: SpaceApp) -> Iterator[HubStandIn]:
    spaces = {
        "org/running": Space(app.url, requirements="# pins\ntorch==2.4.0 # CUDA 12\nspaces\n-r x\ndiffusers>=0.30\n"),
        "org/private": Space(app.url, private=True),
        "org/crashed": Space(app.url, "RUNTIME_ERROR", error=f"OOM \x1b[31m {TOKEN}"),
        **{f"org/{stage}": Space(app.url, stage) for stage in ("PAUSED", "SLEEPING", "BUILDING", "APP_STARTING")},
    }
    with hub_stand_in(spaces, TOKEN) as running:
        yield running


def on_the_hub(app: SpaceApp, endpoint: str, folder: Path, *ids: str, **environment: str) -> list[dict[str, Any]]:
    requests = [asdict(request_of(app, "plain", id=name)) for name in ids]
    told = subprocess.run(
        [sys.executable, "-c", ON_THE_HUB, json.dumps(requests), str(folder)],
        env={**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_TOKEN": "", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stderr == ""
    assert TOKEN not in told.stdout
    return list(json.loads(told.stdout))


def test_a_space_is_found_through_the_hub_and_gets_the_token(app: SpaceApp, hub: HubStandIn, tmp_path: Path) -> None:
    running, private, crashed, misspelt = on_the_hub(
        app, hub.url, tmp_path, "org/running", "org/private", "org/crashed", "org/runing", HF_TOKEN=TOKEN
    )
    assert running["digest"] == private["digest"] == read_clip(app.folder / "clip.mp4").digest
    assert running["described"] == "Space org/running /plain"
    assert running["hosted"] == {
        "space": "org/running",
        "commit": "2e" * 20,
        "running commit": "1f" * 20,
        "last modified": "2024-12-24T18:00:00+00:00",
        "stage": "RUNNING",
        "hardware": "zero-a10g",
        "sdk": "gradio",
        "sdk version": "4.44.1",
        "python": "3.10",
        "gradio": running["hosted"]["gradio"],
        "torch": "==2.4.0",
        "diffusers": ">=0.30",
    }
    assert crashed["code"] == "space-broken"
    assert crashed["message"] == "Space org/crashed has crashed: OOM [31m [redacted]"
    assert misspelt["message"] == "Space org/runing is not on the Hub, or it is private"
    assert f"Bearer {TOKEN}" in app.seen()["tokens"]  # the twin of the test that an address never gets it
    asked = {path for path, _ in hub.asked}
    assert asked >= {"/api/spaces/org/running", "/api/spaces/org/running/runtime"}
    assert not any("telemetry" in path for path in asked)


def test_a_space_that_does_not_run_is_said_to_be_so(app: SpaceApp, hub: HubStandIn, tmp_path: Path) -> None:
    before = len(app.seen()["calls"])
    ids = ("PAUSED", "SLEEPING", "BUILDING", "APP_STARTING", "private", "nowhere", "a b")
    told = on_the_hub(app, hub.url, tmp_path, *(f"org/{name}" for name in ids))
    said = dict(zip(ids, told, strict=True))
    assert {name: answer["message"] for name, answer in said.items()} == {
        "PAUSED": "Space org/PAUSED is paused by its owner",
        "SLEEPING": "Space org/SLEEPING is asleep",
        "BUILDING": "Space org/BUILDING is still building",
        "APP_STARTING": "Space org/APP_STARTING is still starting",
        "private": "Space org/private is not on the Hub, or it is private",
        "nowhere": "Space org/nowhere is not on the Hub, or it is private",
        "a b": "Space org/a b cannot exist, its id is not ORG/NAME",
    }
    assert {name: answer["code"] for name, answer in said.items()} == {
        "PAUSED": "space-paused",
        "SLEEPING": "space-sleeping",
        "BUILDING": "space-starting",
        "APP_STARTING": "space-starting",
        "private": "space-not-found",
        "nowhere": "space-not-found",
        "a b": "space-not-found",
    }
    assert "duplicate" in said["PAUSED"]["hint"]
    assert "wake" in said["SLEEPING"]["hint"]
    assert "HF_TOKEN" in said["private"]["hint"]
    assert len(app.seen()["calls"]) == before


def test_a_token_that_the_hub_does_not_know(app: SpaceApp, hub: HubStandIn, tmp_path: Path) -> None:
    (told,) = on_the_hub(app, hub.url, tmp_path, "org/running", HF_TOKEN="hf_" + "x" * 30)
    assert "could not be looked up on the Hub: " in told["message"]
    assert "HF_TOKEN" in told["hint"]
    assert told["code"] == "hub-unavailable"


def test_no_hub(app: SpaceApp, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
    (told,) = on_the_hub(app, nowhere, tmp_path, "org/running")
    assert "cannot be reached: " in told["message"]
    assert told["code"] == "hub-unavailable"
    (told,) = on_the_hub(app, nowhere, tmp_path, "org/running", HF_HUB_OFFLINE="1")
    assert told["message"] == "Space org/running cannot be asked: HF_HUB_OFFLINE is set"

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import (
    DeadlineExceeded,
    NotMeasuredError,
    QuotaExceeded,
    SpaceApiMismatch,
    SpaceFailed,
    SpaceNeedsLogin,
    SpaceNotFound,
    SpaceUnavailable,
    SpaceUnreachable,
)
from support.gradio_servers import STEP_SECONDS, SpaceApp, relay
from support.hub_stand_in import hub_stand_in
from support.space_requests import TOKEN, Ask, RememberingListener, refused

LONG = 2400  # steps: two minutes of the app's time


QUOTA = (
    "You have exceeded your GPU quota (60s requested vs. 0s left). "
    '<a style="white-space: nowrap" href="https://huggingface.co/join">Create a free account</a> to get more.'
)


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"endpoint": "/plan"}, "has no endpoint /plan (did you mean '/plain'?)", "its endpoints are /plain, /single"),
        (
            {"inputs": {"prompt": "{prompt}", "seed": "{seed}"}},
            "has no parameter 'seed' at /plain",
            "/plain takes prompt (required), seed_value (required)",
        ),
        ({"inputs": {"seed_value": 1}}, "needs prompt at /plain", "/plain takes prompt (required)"),
        (
            {"outputs": {"video": 2}},
            "has no output 2 at /plain, which outputs.video names",
            "0: Video 'clip', 1: Number",
        ),
        ({"outputs": {"video": 0, "seed": -1}}, "has no output -1 at /plain, which outputs.seed names", "its outputs"),
        ({"outputs": {"file": 1}}, "output 1 of the Space is not a file but a number", "0: Video 'clip'"),
    ],
)
def test_a_mismatch_with_the_api_is_reported_before_quota_is_spent(
    app: SpaceApp, ask: Ask, changes: dict[str, Any], message: str, hint: str
) -> None:
    before = len(app.seen()["calls"])
    with pytest.raises(NotMeasuredError) as caught:
        ask("plain", **changes)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert len(app.seen()["calls"]) == before


def test_names_from_the_space_are_cleaned(ask: Ask) -> None:
    error = refused(ask, "defaults", SpaceApiMismatch, outputs={"video": 5})
    assert error.hint.isprintable()
    assert error.hint == r"its outputs are 0: Video 'clip', 1: Number ' seed \x1b[31m'"


def test_a_misspelt_parameter_gets_a_suggestion(ask: Ask) -> None:
    error = refused(ask, "plain", SpaceApiMismatch, inputs={"promt": "{prompt}", "seed_value": "{seed}"})
    assert "has no parameter 'promt' at /plain (did you mean 'prompt'?)" in error.message


def test_an_error_of_the_app_is_cleaned_and_shortened(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hostile = f"\x1b[2J<script>alert(1)</script> CUDA\x00 out of\nmemory \u202e {TOKEN} {Path.home()}/x " + "y" * 5000
    error = refused(ask, "fails", SpaceFailed, prompt=hostile)
    assert "reports an error of its own: [2J alert(1) CUDA out of memory [redacted]" in error.message
    assert error.message.isprintable()
    assert len(error.message) < 600
    assert TOKEN not in error.message + error.hint
    assert str(Path.home()) not in error.message


def test_an_error_that_the_app_does_not_show_is_reported(ask: Ask) -> None:
    assert "reports an error of its own: " in refused(ask, "fails", SpaceFailed, seed=0).message


def test_a_token_without_the_usual_prefix_is_redacted_too(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "opensesame")
    assert "say [redacted] now" in refused(ask, "fails", SpaceFailed, prompt="say opensesame now").message
    monkeypatch.setenv("HF_TOKEN", "another")
    assert "say opensesame now" in refused(ask, "fails", SpaceFailed, prompt="say opensesame now").message


def test_an_exceeded_quota_has_a_hint(ask: Ask) -> None:
    error = refused(ask, "fails", QuotaExceeded, prompt=QUOTA)
    assert "a GPU quota is used up: You have exceeded your GPU quota (60s requested vs. 0s left)." in error.message
    assert "HF_TOKEN" in error.hint
    assert "HF_TOKEN" not in refused(ask, "fails", SpaceFailed, prompt="You have exceeded your patience").hint


def test_the_deadline_ends_the_job_here_and_on_the_server(app: SpaceApp, ask: Ask, tmp_path: Path) -> None:
    for deadline in (3.0, 12.0, 48.0):  # a busy machine needs more than the first until the app reports a status
        started = time.monotonic()
        error = refused(ask, "slow", DeadlineExceeded, prompt="too slow", seed=LONG, deadline=deadline)
        assert time.monotonic() - started < deadline + LONG * STEP_SECONDS / 4
        if "last status" in error.message:
            break
    within = f"the Space returned no result within {deadline:g} s, queue included"
    assert error.message == f"{within} (last status: [31mdenoising)"
    assert "deadline" in error.hint
    assert list(tmp_path.iterdir()) == []
    ask("slow", prompt="just in time", seed=2, deadline=30.0)  # would wait for the one before if that went on
    assert "just in time" in app.seen()["ended"]
    assert "too slow" not in app.seen()["ended"]


def test_ctrl_c_cancels_the_job(app: SpaceApp, ask: Ask) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask("slow", prompt="interrupted", seed=LONG, progress=RememberingListener(interrupt))
    ask("slow", prompt="after the interruption", seed=2, deadline=30.0)
    assert "interrupted" not in app.seen()["ended"]


@pytest.mark.parametrize("reset", [True, False])
def test_a_server_that_crashes_during_the_job_is_an_error_without_a_traceback(
    app: SpaceApp, ask: Ask, capfd: pytest.CaptureFixture[str], *, reset: bool
) -> None:
    with relay(app.port) as line:
        cutting = RememberingListener(lambda: line.cut(reset=reset))
        error = refused(ask, "slow", SpaceUnreachable, id=line.url, seed=100, progress=cutting)
    assert error.message == f"Space {line.url} closed the connection before the clip was finished"
    assert error.hint == "run the same command again"
    assert capfd.readouterr() == ("", "")


def test_an_address_without_a_server_is_unreachable(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = refused(ask, "plain", SpaceUnreachable, id=f"http://127.0.0.1:{port}")
    assert "cannot be reached: it refuses connections" in error.message
    assert "network" in error.hint


def test_a_server_that_never_answers_times_out(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = refused(ask, "plain", DeadlineExceeded, id=f"http://127.0.0.1:{mute.getsockname()[1]}", deadline=0.3)
    assert "within 0.3 s" in error.message


def test_an_address_without_a_gradio_app(app: SpaceApp, ask: Ask) -> None:
    error = refused(ask, "plain", SpaceUnavailable, id=f"{app.url}/seen")
    assert error.message == f"Space {app.url}/seen serves no Gradio app at this address"
    assert "does a Gradio app run there?" in error.hint


def test_an_app_behind_a_login(ask: Ask) -> None:
    with hub_stand_in({}) as closed:  # answers 401 to everything
        assert "asks for a login" in refused(ask, "plain", SpaceNeedsLogin, id=closed.url).message


def test_an_address_with_a_password_is_refused(ask: Ask, app: SpaceApp) -> None:
    error = refused(ask, "plain", SpaceNotFound, id=app.url.replace("http://", "http://me:opensesame@"))
    assert "must not contain a user name or password" in error.message
    assert "opensesame" not in error.message + error.hint

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.clip import read_clip
from spacediff.errors import SpaceApiMismatch, SpaceOutputUnusable
from spacediff.record import InsteadRecord
from spacediff.settings import Origin
from support.gradio_servers import HOSTILE_LABEL, SpaceApp
from support.space_requests import BOTH, PROMPT, Ask, RememberingListener, eventually, refused, request_of


def test_the_file_is_kept_byte_for_byte_and_decoded(
    app: SpaceApp, ask: Ask, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    listener = RememberingListener()
    produced = ask("plain", outputs=BOTH, progress=listener)
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
    assert listener.texts[0] == f"connecting to {app.url}"
    assert listener.texts[-2:] == ["fetching the result", "decoding the result"]
    assert capfd.readouterr() == ("", "")


def test_settings_contain_the_inputs_and_the_metadata_of_the_file(app: SpaceApp, ask: Ask) -> None:
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


def test_omitted_inputs_have_the_defaults_of_the_space(app: SpaceApp, ask: Ask) -> None:
    settings = ask("defaults").settings
    assert app.seen()["calls"][-1] == ["defaults", PROMPT, 42, 7, "as it is", HOSTILE_LABEL]
    assert settings["space.inputs.guidance_scale"].value == 7
    assert settings["space.inputs.guidance_scale"].origin is Origin.DEFAULT
    assert settings["space.inputs.guidance_scale"].where == "API page of /defaults"
    assert settings["space.inputs.label"].value == "seed [31m"


def test_an_omitted_upload_stays_empty(app: SpaceApp, ask: Ask) -> None:
    settings = ask("image_to_video").settings
    assert app.seen()["calls"][-1] == ["image_to_video", PROMPT, None, 42]
    assert settings["space.inputs.image"].value is None
    assert "needs prompt at" in refused(ask, "image_to_video", SpaceApiMismatch, inputs={"seed": "{seed}"}).message


def test_an_input_may_have_the_name_of_an_argument_of_gradio_client(app: SpaceApp, ask: Ask) -> None:
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
def test_video_and_seed_are_found_in_every_form_of_output(app: SpaceApp, ask: Ask, name: str) -> None:
    produced = ask(name, outputs=BOTH)
    assert produced.clip.digest == read_clip(app.folder / "clip.mp4").digest
    assert produced.seed_echoed == 42
    assert produced.warnings == ()


def test_an_endpoint_with_one_output_returns_no_tuple(ask: Ask) -> None:
    assert len(ask("single").clip.frames) == 9


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("text", "a text"),
        ("nothing", "nothing"),
        ("hidden", "a table of visible, __type__"),
        ("other_seed", "a number"),
    ],
)
def test_an_output_that_is_not_a_video_is_an_error(ask: Ask, name: str, what: str) -> None:
    index = 1 if name == "other_seed" else 0
    error = refused(ask, name, SpaceOutputUnusable, outputs={"video": index})
    assert error.message == f"output {index} of the Space is not a video but {what}"
    assert error.hint.startswith("its outputs are 0: ")


def test_a_different_seed_is_kept_as_what_was_used_instead(ask: Ask) -> None:
    produced = ask("other_seed", outputs=BOTH)
    assert produced.seed_echoed == 7
    assert produced.instead == InsteadRecord(seed=7, own_seed=True)
    assert produced.warnings == ()
    assert produced.settings["rng.seed"].value == 7
    assert produced.settings["rng.seed"].origin is Origin.OBSERVED
    assert ask("other_seed").instead == produced.instead, "an output that is labelled as the seed need not be named"


def test_a_seed_output_without_an_integer_gives_a_warning(ask: Ask) -> None:
    produced = ask("single", outputs={"video": 0, "seed": 0})
    assert produced.seed_echoed is None
    assert produced.warnings == ("output 0 of the Space should be the seed, but is not an integer",)


def test_a_seed_that_is_not_sent_is_unknown_unless_the_space_says_it(ask: Ask) -> None:
    fixed = {"prompt": "{prompt}", "seed_value": 5}
    said = ask("plain", inputs=fixed)
    assert said.warnings == ("the seed was not sent: no input of the Space contains {seed}",)
    assert said.instead == InsteadRecord(seed=5, own_seed=True)
    silent = ask("single", inputs=fixed)
    assert silent.settings["rng.seed"].origin is Origin.UNKNOWN
    assert silent.instead is None, "the scenario gives the Space a seed of its own"
    assert ask("single", inputs={"prompt": "{prompt}", "seed_value": None}).instead == InsteadRecord(own_seed=True)


def test_a_rewritten_prompt_is_kept_as_what_was_used_instead(ask: Ask) -> None:
    outputs = BOTH | {"prompt": 2}
    text = f"{PROMPT}, cinematic[31m"
    assert ask("enhanced", outputs=outputs).instead == InsteadRecord(prompt=text, rewritten=True)
    assert ask("enhanced", outputs=outputs, private=True).instead == InsteadRecord(rewritten=True)
    sent = {"prompt": "{prompt}, in rain", "seed_value": "{seed}"}
    assert ask("text_back", inputs=sent, outputs=outputs).instead is None, "what was sent is not rewritten"


def test_steps_are_reported_while_the_space_works(app: SpaceApp, ask: Ask) -> None:
    listener = RememberingListener()
    produced = ask("slow", seed=20, outputs=BOTH, progress=listener)
    assert produced.seed_echoed == 20
    assert len(listener.steps) > 2
    assert listener.steps == sorted(set(listener.steps))
    assert {total for _, total in listener.steps} == {20}
    assert "[31mdenoising" in listener.texts
    assert PROMPT in app.seen()["ended"]


@pytest.mark.slow
def test_the_position_in_the_queue_is_reported(app: SpaceApp, ask: Ask) -> None:
    other = threading.Thread(target=ask, args=("slow",), kwargs={"prompt": "queued before", "seed": 200})
    other.start()
    assert eventually(lambda: ["slow", "queued before", 200] in app.seen()["calls"])
    listener = RememberingListener()
    ask("slow", seed=2, progress=listener)
    other.join()
    assert any(text.startswith("number 1 of 1 in the queue") for text in listener.texts)


def test_a_request_is_plain_data(app: SpaceApp) -> None:
    request = request_of(app, "plain")
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301 - our own bytes
    with pytest.raises(ValueError, match="exactly one of video, image"):
        replace(request, outputs={"seed": 1})

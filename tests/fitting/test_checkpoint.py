"""A checkpoint that is not on this machine, on a Hub on loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download

from spacediff.fitting import assessment, on_hub
from spacediff.fitting.assessment import assess
from spacediff.fitting.checkpoint import find
from spacediff.plan import Plan
from spacediff.progress import SilentListener
from spacediff.record import FactKind, Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.wording import sentence
from support.hub_models import hub_of
from support.hub_stand_in import HubStandIn
from support.weight_files import checkpoint

MIB = 2**20


def settings(name: str) -> Settings:
    return Settings.of({"model": {"id": name, "dtype": "bfloat16"}}, Origin.DECLARED)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    folder = checkpoint(
        tmp_path / "c",
        transformer=("diffusers", "CogVideoXTransformer3DModel", "F32", 4 * MIB),
        vae=("diffusers", "AutoencoderKLCogVideoX", "BF16", MIB),
    )
    with hub_of({"org/model": folder}, tmp_path, monkeypatch) as server:
        yield server


def test_the_hub_says_what_a_checkpoint_weighs_and_no_weights_are_downloaded(
    hub: HubStandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    found = find(settings("org/model"))
    assert found is not None
    assert {each.name: each.loaded("bfloat16") for each in found.components} == {"transformer": 2 * MIB, "vae": MIB}
    assert (found.folder / "transformer" / "config.json").is_file(), "the pipeline can be measured"
    assert list(found.folder.rglob("*.safetensors")) == []
    files = hub.models["org/model"].files
    assert {name: sum(lacking.values()) for name, lacking in found.download.items()} == {
        name: len(files[f"{name}/diffusion_pytorch_model.safetensors"]) for name in ("transformer", "vae")
    }
    assert capfd.readouterr() == ("", ""), "a progress bar would spoil the audit's own"
    asked = len(hub.asked)
    assert find(settings("org/model")) == found
    assert len(hub.asked) == asked, "one question for all runs"


def test_a_plan_says_which_weights_it_downloads_that_are_not_in_the_cache(
    hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hf_hub_download("org/model", "vae/diffusion_pytorch_model.safetensors")
    monkeypatch.setattr(assessment, "free_bytes", lambda _: 3 * MIB)
    prompt = Prompt("p", "a lemon", 42)
    runs = [Run(name, Role.VARIANT, prompt, "diffusers", settings("org/model")) for name in ("a", "b")]
    assessed = assess(Plan("t", "q", "c", (prompt,), tuple(runs), "a"), tmp_path, SilentListener())
    (download,) = assessed.downloads
    assert (download.model, download.runs) == ("org/model", frozenset({"a", "b"}))
    assert download.size == len(hub.models["org/model"].files["transformer/diffusion_pytorch_model.safetensors"])
    said = [sentence(each) for each in assessed.notices if each.kind is FactKind.WEIGHTS_DOWNLOAD]
    assert said == [f"the weights of org/model are downloaded first: 4 MiB, and 3 MiB are free in {tmp_path / 'hub'}."]


def test_a_checkpoint_that_the_hub_does_not_have_is_unknown(hub: HubStandIn) -> None:
    assert find(settings("org/other")) is None
    asked = len(hub.asked)
    assert asked
    assert find(settings("org/other")) is None
    assert len(hub.asked) == asked


def test_the_hub_is_not_asked_for_a_path(hub: HubStandIn) -> None:
    for name in ("/nowhere/at/all", "./nowhere", "C:/nowhere/at/all"):
        assert find(settings(name)) is None
    assert hub.asked == []


def test_an_unreachable_hub_leaves_the_weights_unknown(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert find(settings("org/unreachable")) is None
    assert hub.asked == []


def test_a_hub_that_never_answers_leaves_the_weights_unknown_in_time(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub.asked == []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(on_hub, "_SECONDS", 1.0)
        began = time.monotonic()
        assert find(settings("org/silent")) is None
        assert find(settings("org/another")) is None
        assert time.monotonic() - began < 1 + 5
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert find(settings("org/model")) is None, "a Hub that did not answer is left alone for a while"
        monkeypatch.setattr(on_hub._Remembered, "silent_until", 0.0)
        on_hub._Remembered.answers.clear()
        monkeypatch.setattr(on_hub, "_SECONDS", 60.0)
        assert find(settings("org/model")) is not None

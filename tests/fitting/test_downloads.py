"""What runs download, from a Hub on loopback: their checkpoint, and what they load beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import hf_hub_download

from spacediff.fitting.checkpoint import find
from spacediff.fitting.downloads import Download, downloads_of
from spacediff.plan import Semantics
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.scenario.tables.semantics import DETECTOR
from spacediff.settings import Origin, Settings
from support.hub_models import hub_of
from support.hub_stand_in import HubStandIn
from support.weight_files import checkpoint, safetensors

KIB = 2**10


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = checkpoint(
        tmp_path / "model",
        transformer=("diffusers", "CogVideoXTransformer3DModel", "BF16", 64 * KIB),
        vae=("diffusers", "AutoencoderKLCogVideoX", "BF16", 16 * KIB),
    )
    parts = tmp_path / "parts"
    for name, size in {"transformer/diffusion_pytorch_model": 32, "nested/style": 4, "nested/other": 4}.items():
        safetensors(parts / f"{name}.safetensors", {"w": ("BF16", size * KIB)})
    (parts / "q.gguf").write_bytes(b"q" * 999)
    adapters = tmp_path / "adapters"
    for name in ("pytorch_lora_weights", "another", "ip/ip-adapter", "ip/image_encoder/model"):
        safetensors(adapters / f"{name}.safetensors", {"w": ("BF16", 8 * KIB)})
    safetensors(tmp_path / "clip" / "model.safetensors", {"w": ("F32", 2 * KIB)})
    folders = {"org/model": folder, "org/parts": parts, "org/adapters": adapters, "org/clip": tmp_path / "clip"}
    with hub_of(folders, tmp_path, monkeypatch) as server:
        yield server


def run(name: str, **tables: Any) -> Run:
    declared = Settings.of({"model": {"id": "org/model", "dtype": "bfloat16"}, **tables}, Origin.DECLARED)
    return Run(name, Role.VARIANT, Prompt("p", "a lemon", 42), "diffusers", declared)


def sizes(*runs: Run) -> dict[str, int | None]:
    found = downloads_of(runs)
    assert len({each.model for each in found}) == len(found)
    return {each.model: each.size for each in found}


def length(hub: HubStandIn, name: str, *files: str) -> int:
    return sum(len(hub.models[name].files[f"{file}.safetensors"]) for file in files)


def test_components_and_adapters_are_downloads_of_their_own(hub: HubStandIn) -> None:
    transformer, vae = (f"{each}/diffusion_pytorch_model" for each in ("transformer", "vae"))
    whole = length(hub, "org/model", transformer, vae)
    assert sizes(run("baseline")) == {"org/model": whole}
    part = {"id": "org/parts", "subfolder": "transformer"}
    assert sizes(run("a", components={"transformer": part})) == {
        "org/model": length(hub, "org/model", vae),
        "org/parts": length(hub, "org/parts", transformer),
    }
    precise = {"dtype": "float32"}
    assert sizes(run("b", components={"transformer": precise})) == {"org/model": whole}, "its weights are the own ones"
    assert sizes(run("c", lora={"film": {"id": "org/adapters"}})) == {
        "org/model": whole,
        "org/adapters": length(hub, "org/adapters", "pytorch_lora_weights"),
    }
    image_prompt = {"id": "org/adapters", "subfolder": "ip", "weight_name": "ip-adapter.safetensors"}
    assert sizes(run("d", ip_adapter=image_prompt)) == {
        "org/model": whole,
        "org/adapters": length(hub, "org/adapters", "ip/ip-adapter", "ip/image_encoder/model"),
    }


def test_what_several_runs_need_is_downloaded_once(hub: HubStandIn) -> None:
    tables = {"components": {"transformer": {"id": "org/parts", "file": "q.gguf"}}}
    found = downloads_of([run("a", **tables), run("b", **tables), run("baseline")])
    whole = length(hub, "org/model", "transformer/diffusion_pytorch_model", "vae/diffusion_pytorch_model")
    assert found == (
        Download("org/model", whole, frozenset({"a", "b", "baseline"})),
        Download("org/parts", 999, frozenset({"a", "b"})),
    )


def test_the_model_that_looks_at_clips_is_downloaded_too(hub: HubStandIn) -> None:
    part = length(hub, "org/clip", "model")
    found = downloads_of([run("a"), run("b")], Semantics("org/clip", {}))
    assert Download("org/clip", part, frozenset({"a", "b"})) in found
    for local in (DETECTOR, "./clip"):
        assert {each.model for each in downloads_of([run("a")], Semantics(local, {}))} == {"org/model"}


def test_what_the_cache_has_is_not_downloaded(hub: HubStandIn) -> None:
    for name in ("transformer", "vae"):
        for file in ("config.json", "diffusion_pytorch_model.safetensors"):
            hf_hub_download("org/model", f"{name}/{file}")
    hf_hub_download("org/model", "model_index.json")
    hf_hub_download("org/adapters", "pytorch_lora_weights.safetensors")
    asked = len(hub.asked)
    assert sizes(run("a", lora={"film": {"id": "org/adapters"}})) == {}
    assert len(hub.asked) == asked


@pytest.mark.parametrize(
    ("tables", "model"),
    [
        ({"model": {"id": "org/absent"}}, "org/absent"),
        ({"lora": {"film": {"id": "org/parts", "subfolder": "nested"}}}, "org/parts"),
        ({"components": {"transformer": {"id": "org/parts", "file": "absent.gguf"}}}, "org/parts"),
    ],
    ids=["no such model", "one of two adapters", "no such file"],
)
def test_what_the_hub_cannot_tell_is_unknown_and_not_nothing(
    tables: dict[str, Any], model: str, hub: HubStandIn
) -> None:
    assert sizes(run("a", **tables))[model] is None
    assert hub.asked


def test_without_the_hub_nothing_is_downloaded(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert downloads_of([run("a", lora={"film": {"id": "org/adapters"}})]) == ()
    assert hub.asked == []


def test_the_memory_of_a_component_on_the_hub_is_known(hub: HubStandIn) -> None:
    part = {"id": "org/parts", "subfolder": "transformer"}
    found = find(run("a", components={"transformer": part}).settings)
    assert found is not None
    assert {each.name: each.loaded("bfloat16") for each in found.components} == {
        "transformer": 32 * KIB,
        "vae": 16 * KIB,
    }
    assert list(found.folder.rglob("*.safetensors")) == [], f"only headers are read: {len(hub.asked)} requests"

"""What runs download, from a Hub on loopback: their checkpoint, and what they load beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import hf_hub_download, snapshot_download

from spacediff.fitting import look_up
from spacediff.fitting.checkpoint import find
from spacediff.fitting.downloads import downloads_of, together
from spacediff.fitting.named import Named, files_of
from spacediff.plan import Plan, Semantics
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.scenario.tables.semantics import DETECTOR
from spacediff.settings import Origin, Settings
from support.hub_models import hub_of
from support.hub_stand_in import HubStandIn
from support.weight_files import checkpoint, safetensors

MAIN = {"revision": "main"}
KIB = 2**10


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
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


def plan(*runs: Run, semantics: str = "") -> Plan:
    looks = Semantics(semantics, {}) if semantics else None
    return replace(Plan("t", "q", "c", (runs[0].prompt,), runs, "a"), semantics=looks)


def sizes(*runs: Run) -> dict[str, int | None]:
    """Return the bytes of each repository; None where they are not all known."""
    return {each.model: each.size if each.known else None for each in together(downloads_of(plan(*runs), runs))}


def length(hub: HubStandIn, name: str, *files: str) -> int:
    return sum(len(hub.models[name].files[f"{file}.safetensors"]) for file in files)


TRANSFORMER, VAE = "transformer/diffusion_pytorch_model", "vae/diffusion_pytorch_model"


def test_components_and_adapters_are_downloads_of_their_own(hub: HubStandIn) -> None:
    whole = length(hub, "org/model", TRANSFORMER, VAE)
    assert sizes(run("baseline")) == {"org/model": whole}
    part = {"id": "org/parts", "subfolder": "transformer"}
    assert sizes(run("a", components={"transformer": part})) == {
        "org/model": length(hub, "org/model", VAE),
        "org/parts": length(hub, "org/parts", TRANSFORMER),
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
    assert sizes(run("e", components={"tokenizer": {"id": "org/clip"}})) == {"org/model": whole}


def test_the_model_that_looks_at_clips_is_downloaded_whoever_makes_them(hub: HubStandIn) -> None:
    hosted = replace(run("reference"), source="space")
    (found,) = downloads_of(plan(hosted, semantics="org/clip"), [])
    assert (found.model, found.size) == ("org/clip", length(hub, "org/clip", "model"))
    assert found.runs == {"reference"}
    for local in (DETECTOR, "./clip"):
        assert downloads_of(plan(hosted, semantics=local), []) == ()


@pytest.mark.parametrize("hashes", [True, False])
def test_a_file_is_downloaded_once_by_whatever_name(*, hashes: bool, hub: HubStandIn) -> None:
    for model in hub.models.values():
        model.hashes = hashes
    usual = {"id": "org/adapters"}
    named = usual | {"weight_name": "pytorch_lora_weights.safetensors"}
    runs = [run("a", lora={"film": usual}), run("b", lora={"film": named}), run("c", lora={"film": named | MAIN})]
    runs.append(run("d", components={"vae": {"id": "org/model", "subfolder": "vae"}}))
    assert sizes(*runs) == {
        "org/model": length(hub, "org/model", TRANSFORMER, VAE),
        "org/adapters": length(hub, "org/adapters", "pytorch_lora_weights"),
    }


def test_what_the_cache_has_is_not_downloaded_also_of_another_commit(hub: HubStandIn) -> None:
    files = [f"{TRANSFORMER}.safetensors", f"{VAE}.safetensors"]
    model = hub.models["org/model"]
    model.hashes = True
    hf_hub_download("org/model", files[0])
    assert sizes(run("a")) == {"org/model": length(hub, "org/model", VAE)}
    model.sha = "3f" * 20
    repository = look_up._Repository("org/model", None)
    assert repository.commit == model.sha
    assert [*repository.lacking(files).values()] == [len(model.files[files[1]])]


def test_while_the_hub_is_silent_the_cache_says_what_is_certain(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_download("org/model")
    snapshot_download("org/adapters", allow_patterns="pytorch_lora_weights.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    asked = len(hub.asked)
    named = {"id": "org/adapters", "weight_name": "pytorch_lora_weights.safetensors"}
    assert sizes(run("a", lora={"film": named})) == {}
    assert sizes(run("a", lora={"film": {"id": "org/adapters"}}))["org/adapters"] is None, "there may be several"
    half = run("a", model={"id": "org/model", "variant": "fp16"}, components={"vae": {"id": "org/parts"}})
    assert sizes(half)["org/parts"] is None
    assert len(hub.asked) == asked


def test_a_component_has_the_variant_that_is_asked_for() -> None:
    files = ["diffusion_pytorch_model.safetensors"]
    assert files_of(Named("org/x", variant="fp16"), files) == []
    assert files_of(Named("org/x"), files) == files


def test_a_cache_that_cannot_be_read_is_no_answer(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in (Path(snapshot_download("org/model")) / TRANSFORMER).parent.glob("*.safetensors"):
        file.resolve().unlink()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert hub.asked
    assert sizes(run("a")) == {"org/model": None}


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


@pytest.mark.parametrize("size", [None, -5, 0, 10**400, "9"], ids=["none", "negative", "nothing", "huge", "text"])
def test_a_size_that_no_file_has_is_unknown(size: object, hub: HubStandIn) -> None:
    hub.models["org/adapters"].sizes["pytorch_lora_weights.safetensors"] = size
    hub.models["org/model"].sizes[f"{VAE}.safetensors"] = size
    assert sizes(run("a", lora={"film": {"id": "org/adapters"}})) == {"org/model": None, "org/adapters": None}


def test_a_question_that_fails_is_not_asked_for_each_run(hub: HubStandIn) -> None:
    runs = [run(name, lora={"film": {"id": "org/absent"}}) for name in ("a", "b", "c")]
    sizes(*runs)
    assert sum("org/absent" in path for path, _ in hub.asked) == 1


def test_without_the_hub_nothing_is_downloaded(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert sizes(run("a", lora={"film": {"id": "org/adapters"}})) == {}
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

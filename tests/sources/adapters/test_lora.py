"""LoRAs compared with plain scripts of diffusers, what is observed of them, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import CheckpointUnavailable, UnsupportedSetting
from support.adapter_files import USUAL_NAME, Generate, Plain

pytestmark = pytest.mark.filterwarnings("ignore:Already found:UserWarning", "ignore:Adapter cannot be set:UserWarning")


def test_a_lora_is_loaded_and_weighed_as_by_a_script(loras: Path, generate: Generate, plain: Plain) -> None:
    def script(pipe: Any) -> None:
        pipe.load_lora_weights(loras / "one", adapter_name="style")
        pipe.set_adapters(["style"], [0.6])

    run = generate(lora={"a": {"id": str(loras / "one"), "scale": 0.6}})
    assert run.clip.digest == plain(script)
    assert run.clip.digest != generate(lora={"a": {"id": str(loras / "one"), "scale": 0.5}}).clip.digest
    assert run.settings.value("lora.a.active.transformer") == 0.6
    assert run.settings["lora.a.active.transformer"].origin == "observed"
    assert run.settings.value("lora.a.weight_name") == USUAL_NAME
    assert not run.ignored
    assert not run.warnings


def test_two_fused_loras_equal_those_of_a_script_and_the_next_run_has_none(
    loras: Path, generate: Generate, plain: Plain
) -> None:
    def script(pipe: Any) -> None:
        for name, scale in (("one", 0.6), ("two", 0.3)):
            pipe.load_lora_weights(loras / name, adapter_name=name)
            pipe.set_adapters([name], [scale])
            pipe.fuse_lora()
            pipe.unload_lora_weights()

    before = generate().clip.digest
    fused = {"fused": True, "unloaded": True}
    one, two = ({"id": str(loras / name), "scale": scale, **fused} for name, scale in (("one", 0.6), ("two", 0.3)))
    run = generate(lora={"b": one, "a": two, "order": ["b", "a"]})
    assert run.clip.digest == plain(script)
    assert run.settings.value("lora.b.active.transformer") == 0.6
    assert generate(rng={"seed": 42}).clip.digest == before  # computed again: another setting, the same seed


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False])
def test_fused_and_active_loras_act_as_in_a_script(
    kept: bool,  # noqa: FBT001 - a parameter of the test
    loras: Path,
    generate: Generate,
    plain: Plain,
) -> None:
    def script(pipe: Any) -> None:
        pipe.load_lora_weights(loras / "one", adapter_name="one")
        pipe.fuse_lora(lora_scale=0.7)
        if not kept:
            pipe.unload_lora_weights()
        pipe.load_lora_weights(loras / "two", adapter_name="two")
        pipe.set_adapters(["two"], [0.3])

    fused = {"id": str(loras / "one"), "fused": True, "lora_scale": 0.7, **({} if kept else {"unloaded": True})}
    run = generate(lora={"one": fused, "two": {"id": str(loras / "two"), "scale": 0.3}})
    assert run.clip.digest == plain(script)
    assert run.settings.value("lora.one.active.transformer") == (0.0 if kept else 0.7)
    assert [each.argument for each in run.ignored] == (["lora.one.fused"] if kept else [])


@pytest.mark.slow
def test_several_loras_that_are_fused_together_and_stay_loaded(loras: Path, generate: Generate, plain: Plain) -> None:
    def script(pipe: Any) -> None:
        pipe.load_lora_weights(loras / "one", adapter_name="one")
        pipe.load_lora_weights(loras / "two", adapter_name="two")
        pipe.set_adapters(["one", "two"], [0.6, 0.3])
        pipe.fuse_lora(lora_scale=0.5)

    tables = {
        name: {"id": str(loras / name), "scale": scale, "fused": True, "lora_scale": 0.5}
        for name, scale in (("one", 0.6), ("two", 0.3))
    }
    run = generate(lora=tables)
    assert run.clip.digest == plain(script)
    assert run.settings.value("lora.two.active.transformer") == 0.15


def test_modules_of_a_file_that_no_model_has_are_named(loras: Path, generate: Generate) -> None:
    run = generate(lora={"a": {"id": str(loras / "extra")}})
    (found,) = run.ignored
    assert found.argument == "lora.a.id"
    assert found.value == "transformer.transformer_blocks.77.attn1.to_q"
    assert run.clip.digest == generate(lora={"a": {"id": str(loras / "one")}}).clip.digest


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"scale": 0.5}, "lora.a.scale is set, but no LoRA 'a' is loaded"),
        ({"id": "foreign"}, "matches no layer of CogVideoXPipeline: .* begin with unet"),
        ({"id": "one", "component": "transformer_2"}, "loads LoRAs into transformer, not into 'transformer_2'"),
        ({"id": "one", "scale": {"transformer": "much"}}, "refuses lora.a.scale"),
        ({"id": "one", "unloaded": True}, "lora.a.unloaded"),
    ],
)
def test_what_cannot_act_is_refused_by_name(table: dict[str, Any], words: str, loras: Path, generate: Generate) -> None:
    given = {**table, "id": str(loras / table["id"])} if "id" in table else table
    with pytest.raises(UnsupportedSetting, match=words):
        generate(lora={"a": given})


def test_unloading_is_refused_where_it_would_remove_an_earlier_one(loras: Path, generate: Generate) -> None:
    fused = {"id": str(loras / "two"), "fused": True, "unloaded": True}
    with pytest.raises(UnsupportedSetting, match="would remove a too") as found:
        generate(lora={"a": {"id": str(loras / "one")}, "b": fused})
    assert "load b before" in found.value.hint


def test_a_lora_that_is_missing_pickled_or_ambiguous_is_refused(
    loras: Path, generate: Generate, tmp_path: Path
) -> None:
    def refused(place: Path, **more: Any) -> str:
        with pytest.raises(CheckpointUnavailable) as found:
            generate(lora={"a": {"id": str(place), **more}})
        return f"{found.value.message} {found.value.hint}"

    assert "no file or folder" in refused(tmp_path / "nowhere")
    (tmp_path / "weights.bin").write_bytes(b"a pickle")
    assert "is pickled" in refused(tmp_path)
    assert "is pickled" in refused(tmp_path / "weights.bin")
    (tmp_path / "broken.safetensors").write_bytes(b"not safetensors")
    assert "lora.a: broken.safetensors could not be loaded" in refused(tmp_path)
    shutil.copy(loras / "one" / USUAL_NAME, tmp_path / "fast.safetensors")
    assert "several .safetensors files: broken.safetensors, fast.safetensors set lora.a.weight_name" in refused(
        tmp_path
    )
    assert "no file slow.safetensors" in refused(tmp_path, weight_name="slow.safetensors")


def test_a_pipeline_that_takes_no_adapter_says_so(generate: Generate) -> None:
    with pytest.raises(UnsupportedSetting, match="CogVideoXPipeline takes no textual inversion"):
        generate(textual_inversion={"cat": {"id": "org/cat"}})
    with pytest.raises(UnsupportedSetting, match="CogVideoXPipeline takes no IP adapter"):
        generate(ip_adapter={"id": "org/ip"})

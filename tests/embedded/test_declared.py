"""The settings that programs write into pictures and videos: where they stand, what they mean, and what is quoted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacediff.embedded import declared_in, declared_in_all, without_texts
from spacediff.settings import Origin
from support.signed_pictures import (
    GRAPH,
    INVOKE,
    NEGATIVE,
    PROMPT,
    SIZE,
    WEB_UI,
    comfy_webp,
    png,
    video,
    with_comment,
)

SURE = {
    "call.guidance_scale": 7.5,
    "call.height": 64,
    "call.negative_prompt": NEGATIVE,
    "call.num_inference_steps": 20,
    "call.prompt": PROMPT,
    "call.width": 96,
    "rng.seed": 1234,
}


def found(file: Path) -> dict[str, Any]:
    return {path: setting.value for path, setting in declared_in(file, SIZE).settings.items()}


def sure(file: Path) -> dict[str, Any]:
    return {path: value for path, value in found(file).items() if not path.startswith("file.")}


def comfy(folder: Path, **changes: dict[str, Any]) -> dict[str, Any]:
    """Return what a graph with changed or further nodes declares."""
    return found(png(folder / "c.png", prompt=json.dumps({**GRAPH, **changes})))


def web_ui(folder: Path, more: str) -> dict[str, Any]:
    return found(png(folder / "a.png", parameters=f"{WEB_UI}, {more}"))


def test_a_web_ui_writes_into_pictures_of_every_format(tmp_path: Path) -> None:
    files = [
        png(tmp_path / "a.png", parameters=WEB_UI),
        png(tmp_path / "b.png", packed=True, parameters=WEB_UI),
        with_comment(tmp_path / "c.jpg", WEB_UI),
        with_comment(tmp_path / "d.webp", WEB_UI, "utf-16-le"),
        with_comment(tmp_path / "e.avif", WEB_UI),
    ]
    for file in files:
        assert sure(file) == SURE, file
    declared = declared_in(files[0])
    assert declared.program == "Stable Diffusion web UI"
    assert declared.settings["rng.seed"].origin is Origin.DECLARED
    assert declared.settings["rng.seed"].where == "PNG text parameters of a.png"
    assert found(files[0])["file.Sampler"] == "DPM++ 2M"
    assert found(files[0])["file.Schedule_type"] == "Karras"


def test_comfyui_writes_into_pictures_and_videos(tmp_path: Path) -> None:
    graph = json.dumps(GRAPH)
    suite = json.dumps(
        {"prompt": graph, "workflow": {"nodes": []}}
    )  # VideoHelperSuite: the graph is a text in the text
    files = [
        png(tmp_path / "a.png", workflow=json.dumps({"nodes": []}), prompt=graph),
        comfy_webp(tmp_path / "b.webp"),
        video(tmp_path / "c.mp4", "comment", suite),
        video(tmp_path / "d.webm", "comment", suite),
        video(tmp_path / "e.mkv", "prompt", graph),
    ]
    for file in files:
        assert sure(file) == SURE, file
    quoted = found(files[2])
    assert quoted["file.KSampler_3_sampler_name"] == "euler"
    assert quoted["file.CheckpointLoaderSimple_4_ckpt_name"] == "dream.safetensors"
    assert "file.KSampler_3_steps" not in quoted


def test_invokeai_names_device_and_scheduler_of_diffusers(tmp_path: Path) -> None:
    written = sure(png(tmp_path / "a.png", invokeai_metadata=json.dumps(INVOKE)))
    assert written == {**SURE, "rng.device": "cpu", "scheduler.class": "EulerAncestralDiscreteScheduler"}
    flux = {**INVOKE, "guidance": 3.5, "scheduler": "euler", "model": {"name": "flux", "base": "flux"}}
    other = found(png(tmp_path / "b.png", invokeai_metadata=json.dumps(flux)))
    assert "call.guidance_scale" not in other
    assert "scheduler.class" not in other
    assert (other["file.guidance"], other["file.cfg_scale"], other["file.scheduler"]) == (3.5, 7.5, "euler")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"sui_image_params": {"prompt": "a", "negativeprompt": "b", "cfgscale": 7, "steps": 4, "seed": 2}},
         {"call.prompt": "a", "call.negative_prompt": "b", "call.guidance_scale": 7, "call.num_inference_steps": 4,
          "rng.seed": 2}),
        ({"prompt": "a", "num_inference_steps": 4, "guidance_scale": 2.5, "scheduler": "DDIMScheduler", "x": {"y": 1}},
         {"call.prompt": "a", "call.num_inference_steps": 4, "call.guidance_scale": 2.5,
          "scheduler.class": "DDIMScheduler"}),
    ],
)  # fmt: skip
def test_flat_records_are_read(tmp_path: Path, record: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sure(png(tmp_path / "a.png", parameters=json.dumps(record))) == expected


def test_what_is_not_sure_is_quoted(tmp_path: Path) -> None:
    hires = web_ui(tmp_path, "Denoising strength: 0.5, Hires upscale: 2")
    assert not {"call.num_inference_steps", "call.width"} & hires.keys()
    assert (hires["file.Steps"], hires["file.Size"]) == ("20", "96x64")
    distilled = web_ui(tmp_path, "Distilled CFG Scale: 3.5")
    assert "call.guidance_scale" not in distilled
    assert distilled["file.CFG_scale"] == "7.5"

    sampler = GRAPH["3"]
    two = comfy(tmp_path, **{"30": sampler})
    assert not {"call.num_inference_steps", "rng.seed", "call.prompt"} & two.keys()
    assert (two["file.KSampler_3_steps"], two["file.KSampler_30_steps"]) == (20, 20)
    partial = comfy(tmp_path, **{"3": {**sampler, "inputs": {**sampler["inputs"], "denoise": 0.5}}})
    assert "call.num_inference_steps" not in partial
    embedded = comfy(tmp_path, **{"8": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5}}})
    assert "call.guidance_scale" not in embedded
    assert (embedded["file.FluxGuidance_8_guidance"], embedded["file.KSampler_3_cfg"]) == (3.5, 7.5)
    for more in ({"CLIPTextEncodeFlux": {"clip_l": "a", "guidance": 3.5}}, {"OtherNode": {"guidance": 3.5}}):
        ((kind, inputs),) = more.items()
        encoded = comfy(tmp_path, **{"8": {"class_type": kind, "inputs": inputs}})
        assert "call.guidance_scale" not in encoded
        assert (encoded[f"file.{kind}_8_guidance"], encoded["file.KSampler_3_cfg"]) == (3.5, 7.5)
    combined = comfy(tmp_path, **{"6": {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["7", 0]}}})
    assert "call.prompt" not in combined
    computed = comfy(tmp_path, **{"9": {"class_type": "RandomInteger", "inputs": {"min": 1, "max": 9}}})
    assert "rng.seed" not in computed


def test_a_guidance_scale_beside_an_embedded_guidance_is_quoted(tmp_path: Path) -> None:
    flux = {"sui_image_params": {"prompt": "a", "cfgscale": 1.0, "fluxguidancescale": 3.5, "steps": 4}}
    quoted = found(png(tmp_path / "a.png", parameters=json.dumps(flux)))
    assert "call.guidance_scale" not in quoted
    assert (quoted["file.cfgscale"], quoted["file.fluxguidancescale"]) == (1.0, 3.5)
    both = {"prompt": "a", "guidance_scale": 3.5, "cfg_scale": 1.0}
    assert sure(png(tmp_path / "b.png", parameters=json.dumps(both)))["call.guidance_scale"] == 3.5


def test_a_seed_that_does_not_make_the_noise_alone_is_quoted(tmp_path: Path) -> None:
    sampler = {**GRAPH["3"]["inputs"], "noise_seed": 5}
    del sampler["seed"]
    for add_noise, is_sure in (("enable", True), ("disable", False), (["9", 0], False)):
        inputs = {**sampler, "add_noise": add_noise}
        declared = comfy(tmp_path, **{"3": {"class_type": "KSamplerAdvanced", "inputs": inputs}})
        assert ("rng.seed" in declared) == is_sure
        assert is_sure or declared["file.KSamplerAdvanced_3_noise_seed"] == 5
    varied = web_ui(tmp_path, "Variation seed: 7, Variation seed strength: 0.5")
    assert "rng.seed" not in varied
    assert (varied["file.Seed"], varied["file.Variation_seed_strength"]) == ("1234", "0.5")
    swarm = {"sui_image_params": {"prompt": "a", "seed": 3, "variationseed": 4, "variationseedstrength": 0.5}}
    assert "rng.seed" not in sure(png(tmp_path / "b.png", parameters=json.dumps(swarm)))


def test_the_nodes_of_a_custom_sampler_are_followed(tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "SamplerCustomAdvanced", "inputs": {
            "noise": ["2", 0], "guider": ["3", 0], "sampler": ["4", 0], "sigmas": ["5", 0], "latent_image": ["6", 0]}},
        "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 9}},
        "3": {"class_type": "CFGGuider", "inputs": {"cfg": 4, "positive": ["7", 0]}},
        "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "5": {"class_type": "BasicScheduler", "inputs": {"scheduler": "simple", "steps": 30, "denoise": 1}},
        "6": {"class_type": "EmptyHunyuanLatentVideo", "inputs": {"width": 96, "height": 64, "length": 17}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": PROMPT}},
    }  # fmt: skip
    assert sure(png(tmp_path / "a.png", prompt=json.dumps(graph))) == {
        "call.guidance_scale": 4, "call.height": 64, "call.num_frames": 17, "call.num_inference_steps": 30,
        "call.prompt": PROMPT, "call.width": 96, "rng.seed": 9,
    }  # fmt: skip


def test_a_size_that_the_file_does_not_have_is_quoted(tmp_path: Path) -> None:
    file = png(tmp_path / "a.png", parameters=WEB_UI)
    resized = declared_in(file, (192, 128)).settings
    assert "call.width" not in resized
    assert (resized.value("file.width"), resized.value("file.height")) == (96, 64)


def test_of_several_pictures_only_what_all_say_is_taken(tmp_path: Path) -> None:
    first = png(tmp_path / "a.png", parameters=WEB_UI)
    second = png(tmp_path / "b.png", parameters=WEB_UI.replace("Seed: 1234", "Seed: 1235"))
    together = declared_in_all([first, second]).settings
    assert "rng.seed" not in together
    assert together.value("call.num_inference_steps") == 20
    assert not declared_in_all([first, png(tmp_path / "c.png")]).settings


def test_of_a_private_prompt_only_numbers_of_the_call_remain(tmp_path: Path) -> None:
    for file in (png(tmp_path / "a.png", parameters=WEB_UI), png(tmp_path / "b.png", prompt=json.dumps(GRAPH))):
        kept = without_texts(declared_in(file)).settings
        assert {*kept} == {path for path in SURE if "prompt" not in path}
        assert all(isinstance(setting.value, int | float) for setting in kept.values())

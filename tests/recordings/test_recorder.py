"""The recorder around a call of a tiny pipeline, in this process."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from spacediff.observer.tensors import digest
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision
from spacediff.watch.adapters import adapters_of
from spacediff.watch.frames import write_frames
from spacediff.watch.generators import generator_of
from spacediff.watch.messages import LibraryMessages
from spacediff.watch.recorder import Recorder
from spacediff.watch.switched_on import cache_of, freeu_of, ip_adapter_of
from spacediff.watch.values import is_json, plain
from spacediff.watch.weights import fingerprint
from spacediff.watch.writing import Writer

shim_torchvision()

CALL = {"num_inference_steps": 1, "num_frames": 5}


@pytest.fixture(scope="module")
def pipeline() -> Any:
    from diffusers import CogVideoXPipeline

    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder(Writer(tmp_path), "{}")
    monkeypatch.setattr(made, "_is_anothers", lambda: False)
    return made


def calls_in(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "calls").glob("*/call.json"))
    return [json.loads(file.read_text("utf-8")) for file in files]


def notes_in(folder: Path) -> str:
    file = folder / "notes.jsonl"
    return file.read_text("utf-8") if file.is_file() else ""


def watched(recorder: Recorder, pipeline: Any) -> Callable[..., Any]:
    call = recorder._watched(type(pipeline).__call__)
    return lambda *args, **kwargs: call(pipeline, *args, **kwargs)


def test_a_call_gives_what_it_gives_and_is_recorded(pipeline: Any, recorder: Recorder, tmp_path: Path) -> None:
    plain = pipeline("a lemon", generator=torch.Generator().manual_seed(1), output_type="np", **CALL).frames
    found = watched(recorder, pipeline)("a lemon", generator=torch.Generator().manual_seed(1), output_type="np", **CALL)
    assert np.array_equal(found.frames, plain)
    (call,) = calls_in(tmp_path)
    assert notes_in(tmp_path) == ""
    assert (call["outcome"], call["prompt"], len(call["observation"]["steps"])) == ("finished", "a lemon", 1)
    kept = np.load(tmp_path / "calls" / "1" / "frames.npy")
    assert np.array_equal(kept, np.rint(plain[0] * 255).astype(np.uint8))


def test_wrong_arguments_are_recorded_with_their_class_and_the_error_once(
    pipeline: Any, recorder: Recorder, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match="guidence_scale"):
        watched(recorder, pipeline)("a lemon", None, 64, guidence_scale=3, **CALL)
    (call,) = calls_in(tmp_path)
    assert notes_in(tmp_path) == ""
    assert call["outcome"].endswith("got an unexpected keyword argument 'guidence_scale'")
    assert (call["prompt"], call["settings"]["model"]["pipeline"]) == ("a lemon", "CogVideoXPipeline")
    given = call["settings"]["call"]
    assert {name: given[name] for name in ("height", "guidence_scale")} == {"height": 64, "guidence_scale": 3}


def test_of_a_class_that_passes_its_arguments_on_those_in_force_are_recorded(
    pipeline: Any, recorder: Recorder, tmp_path: Path
) -> None:
    kind = type(pipeline)
    inner = recorder._watched(kind.__call__)

    def outer(pipeline: Any, prompt: str, **kwargs: Any) -> Any:
        return inner(pipeline, prompt, guidance_scale=2.5, **kwargs)

    recorder._watched(outer)(pipeline, "a lemon", output_type="latent", **CALL)
    (call,) = calls_in(tmp_path)
    assert notes_in(tmp_path) == ""
    found = call["settings"]["call"]
    assert (found["guidance_scale"], found["num_inference_steps"], found["eta"]) == (2.5, 1, 0.0)

    def failing(pipeline: Any, **kwargs: Any) -> Any:
        return inner(pipeline, stepps=2, **kwargs)

    with pytest.raises(TypeError, match="stepps"):
        recorder._watched(failing)(pipeline, prompt="a lemon", **CALL)
    assert notes_in(tmp_path) == ""
    assert calls_in(tmp_path)[-1]["settings"]["call"]["stepps"] == 2

    def other(pipeline: Any, **kwargs: Any) -> Any:
        return inner(copy.copy(pipeline), guidance_scale=2.5, **kwargs)

    recorder._watched(other)(pipeline, prompt="a lemon", output_type="latent", **CALL)
    assert "guidance_scale" not in calls_in(tmp_path)[-1]["settings"]["call"], "it is another pipeline's"


def test_a_call_of_another_thread_at_the_same_time_is_made_and_noted(
    pipeline: Any, recorder: Recorder, tmp_path: Path
) -> None:
    randn, other = torch.randn, []
    run = watched(recorder, pipeline)

    def meanwhile(*_: Any) -> dict[str, Any]:
        thread = threading.Thread(target=lambda: other.append(run("a lime", output_type="latent", **CALL)))
        thread.start()
        thread.join()
        return {}

    run("a lemon", callback_on_step_end=meanwhile, output_type="latent", **CALL)
    assert len(other) == 1
    assert [call["prompt"] for call in calls_in(tmp_path)] == ["a lemon"]
    assert "a call that was not recorded" in notes_in(tmp_path)
    assert torch.randn is randn


def test_what_a_fusion_changes_is_another_fingerprint() -> None:
    module = torch.nn.Linear(64, 64)
    before = fingerprint(module)
    assert fingerprint(module) == before
    module.weight.data += 0.01  # counts as no change of the tensor's version
    after = fingerprint(module)
    assert after != before
    assert fingerprint(module.half()) != after


def test_other_names_and_tied_weights_are_the_same_fingerprint() -> None:
    module = torch.nn.Linear(8, 8)
    module.register_buffer("positions", torch.arange(8), persistent=False)
    tied = torch.nn.ModuleDict({"shared": module, "again": torch.nn.Linear(8, 8)})
    tied["again"].weight, tied["again"].bias = module.weight, module.bias
    assert fingerprint(tied) == fingerprint(module)
    module.register_buffer("scale", torch.ones(1))
    assert fingerprint(tied) == fingerprint(module) != fingerprint(torch.nn.Linear(8, 8))


def test_weights_that_are_offloaded_by_module_have_the_same_fingerprint() -> None:
    from accelerate import cpu_offload

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
    before = fingerprint(module)
    cpu_offload(module, torch.device("cpu"), offload_buffers=True)
    assert any(parameter.is_meta for parameter in module.parameters())
    assert fingerprint(module) == before
    with pytest.raises(LookupError, match="weight are not in memory"):
        fingerprint(torch.nn.Sequential(torch.nn.Linear(2, 2)).to("meta"))


@pytest.mark.parametrize(
    ("output", "output_type", "expected"),
    [
        (np.zeros((1, 16, 3, 4, 4), np.float32), "latent", {"reason": "the call returned latents"}),
        (np.zeros((2, 8, 8, 3), np.float32), None, {"medium": "pictures", "clips": 1}),
        ((np.zeros((2, 5, 8, 8, 3), np.float32),), None, {"medium": "video", "clips": 2}),
        ((np.zeros((2, 8, 8, 3), np.float32), [False, True]), None, {"medium": "pictures", "censored": (1,)}),
        ({"audios": 1}, None, {"reason": "the call returned dict, which has no frames or images"}),
    ],
)
def test_outputs_are_told_apart(output: Any, output_type: str | None, expected: dict[str, Any], tmp_path: Path) -> None:
    found = write_frames(output, output_type, tmp_path)
    assert {name: found[name] for name in expected} == expected


def test_tensors_are_those_of_the_trace(pipeline: Any, recorder: Recorder, tmp_path: Path) -> None:
    recorder._tensors_of = []
    run = watched(recorder, pipeline)
    run(
        "a lemon", generator=torch.Generator().manual_seed(1), output_type="latent", num_inference_steps=7, num_frames=5
    )
    (call,) = calls_in(tmp_path)
    assert notes_in(tmp_path) == ""
    kept = load_file(tmp_path / "calls" / "1" / "tensors.safetensors")
    assert set(kept) == set(call["tensors"])
    seen = call["observation"]
    embeddings = {f"embeddings.{number}": each for number, each in enumerate(seen["embeddings"])}
    steps = {f"latents.{number}": seen["steps"][number - 1]["digest"] for number in (1, 3, 4, 5, 7)}
    assert {name: digest(tensor) for name, tensor in kept.items()} == {
        **embeddings, "noise": seen["noise"]["digest"], **steps
    }  # fmt: skip


def test_chosen_steps_and_the_last_are_kept_while_there_is_room(
    pipeline: Any, recorder: Recorder, tmp_path: Path
) -> None:
    recorder._tensors_of = [2, 40]
    run = watched(recorder, pipeline)
    run("a lemon", output_type="latent", num_inference_steps=3, num_frames=5)
    recorder._room = 10_000
    run("a lemon", output_type="latent", num_inference_steps=3, num_frames=5)
    first, second = calls_in(tmp_path)
    assert [name for name in first["tensors"] if name.startswith("latents")] == ["latents.2", "latents.3"]
    assert len(second["tensors"]) < len(first["tensors"])
    assert "call 2: its tensors: ValueError: tensors of more than 1024 MiB are not kept: " in notes_in(tmp_path)


def test_an_equal_warning_takes_no_room_of_another() -> None:
    messages = LibraryMessages()
    for text in ["equal"] * 500 + ["another"] + [f"number {number}" for number in range(500)]:
        messages.emit(logging.LogRecord("diffusers", logging.WARNING, "x.py", 1, text, (), None))
    found = messages.taken()["messages"]
    assert found[:3] == ["equal", "another", "number 0"]
    assert (len(found), found[-1]) == (201, "of the warnings, only the first 200 different ones are recorded")


@dataclasses.dataclass
class Condition:
    """An argument of a pipeline, as those of LTX-Video."""

    strength: float
    picture: Any = None


class Mode(enum.Enum):
    ONE = "one"
    TWO = "two"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Condition(0.2), Condition(0.9)),
        (Condition(1, torch.zeros(2)), Condition(1, torch.ones(2))),
        ([torch.float16], [torch.bfloat16]),
        (torch.device("cpu"), torch.device("meta")),
        (Mode.ONE, Mode.TWO),
        ({1, 2}, {1, 3}),
        (Path("a.png"), Path("b.png")),
        (b"a", b"b"),
    ],
)
def test_different_arguments_are_different_values(one: Any, other: Any) -> None:
    assert is_json(plain(one))
    assert plain(one) == plain(copy.copy(one)) != plain(other)


def test_each_of_several_generators_counts() -> None:
    def seen(*seeds: int) -> dict[str, Any]:
        return generator_of(None, {"generator": [torch.Generator().manual_seed(seed) for seed in seeds]})

    assert seen(1, 2) == seen(1, 2)
    assert seen(1, 2)["state"] != seen(1, 3)["state"]
    one = generator_of(None, {"generator": torch.Generator().manual_seed(1)})
    assert seen(1) == one | {"count": 1}
    drawn = [torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)]
    torch.randn(3, generator=drawn[1])
    assert (seen(1, 2)["drawn"], generator_of(None, {"generator": drawn})["drawn"]) == (False, True)


def test_other_weights_of_an_adapter_are_another_fingerprint(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    def seen(seed: int) -> dict[str, Any]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
        torch.manual_seed(seed)
        settings = LoraConfig(target_modules=["0", "1"], r=2, init_lora_weights=False)
        wrapped = get_peft_model(model, settings, adapter_name="style")
        found: dict[str, Any] = adapters_of(SimpleNamespace(components={"unet": wrapped}), Writer(tmp_path))["style"]
        return found

    assert notes_in(tmp_path) == ""
    assert seen(1) == seen(1)
    assert seen(1)["weights"] != seen(2)["weights"]
    assert {**seen(1), "weights": ""} == {**seen(2), "weights": ""}


def test_what_is_switched_on_in_a_denoiser_is_recorded() -> None:
    from diffusers import PyramidAttentionBroadcastConfig, UNet2DConditionModel
    from diffusers.models.attention_processor import IPAdapterAttnProcessor

    unet = UNet2DConditionModel(
        block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, cross_attention_dim=8, attention_head_dim=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    pipeline = SimpleNamespace(unet=unet, components={"unet": unet})
    assert (cache_of(pipeline), freeu_of(pipeline), ip_adapter_of(pipeline)) == ({}, {}, {})
    unet.enable_freeu(s1=0.9, s2=0.2, b1=1.2, b2=1.4)
    assert freeu_of(pipeline) == {"s1": 0.9, "s2": 0.2, "b1": 1.2, "b2": 1.4}
    unet.mid_block.attentions[0].transformer_blocks[0].attn2.processor = IPAdapterAttnProcessor(8, 8, scale=0.6)
    assert ip_adapter_of(pipeline) == {"scale": [0.6]}
    unet._cache_config = PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2, current_timestep_callback=lambda: 1
    )
    found = cache_of(pipeline)
    assert found["class"] == "PyramidAttentionBroadcastConfig"
    assert found["spatial_attention_block_skip_range"] == 2
    assert "current_timestep_callback" not in found
    assert is_json(found)

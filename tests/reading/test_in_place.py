"""Changes of a pipeline that are set in place: by foreign functions, replaced functions, switches and contexts."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.reading import Reading, read_text

LOADED = """import types, torch, torch.nn.functional as F
from diffusers import *
from torchao.quantization import *
from optimum.quanto import freeze, qfloat8, quantize
from torchao.float8.inference import QuantConfig, quantize_to_float8
import tomesd, sharper
from sharper import boost, set_weight
pipe = FluxPipeline.from_pretrained("org/flux").to("cuda")
"""
BROADCAST = """
broadcast = PyramidAttentionBroadcastConfig(
    spatial_attention_block_skip_range=2, current_timestep_callback=lambda: pipe.current_timestep
)
pipe.transformer.enable_cache(broadcast)
"""
CALL = "pipe('a kite', generator=torch.Generator().manual_seed(1))"


def read(lines: str, call: str = CALL) -> Reading:
    return read_text(f"{LOADED}{lines}\n{call}\n", "run.py")


def notes(lines: str) -> list[tuple[str, str]]:
    return [(note.kind, note.text) for note in read(lines).notes]


@pytest.mark.parametrize(
    "line",
    [
        "boost(pipe.transformer)",
        "enhance(pipe)",
        "improve_video(pipe.transformer, 2)",
        "sharper.video.boost(pipe, weight=3.4)",
        "tomesd.apply_patch(pipe, ratio=0.5)",
        "boost(pipe.transformer.blocks)",
        "pipe = boost(pipe)",
        "pipe.transformer = boost(pipe.transformer, 2)",
        "pipe.transformer.update_weights('a.safetensors')",
        "pipe.transformer.forward = types.MethodType(fast_forward, pipe.transformer)",
        "pipe.transformer.__class__.forward = fast_forward",
        "FluxTransformer2DModel.forward = fast_forward",
        "pipe.vae.decoder.conv_in = other",
        "pipe.encode_prompt = lambda *given, **named: None",
    ],
)
def test_what_changes_a_part_from_outside_is_noted_with_its_expression(line: str) -> None:
    reading = read(line)
    ((kind, text),) = [(note.kind, note.text) for note in reading.notes]
    assert kind == "patched part"
    assert line.endswith(text)
    assert reading.settings.value("call.prompt") == "a kite"


def test_the_forward_method_of_a_block_is_noted_wherever_it_is_replaced() -> None:
    patch = "def patch(model):\n    for block in model.blocks:\n        block.forward = fast_forward\n"
    assert notes(f"{patch}patch(pipe.transformer)") == [("patched part", "block.forward = fast_forward")]


def test_functions_of_a_module_that_patches_are_noted_too() -> None:
    found = notes("set_weight(1)\nboost(pipe.transformer)\nset_weight(3.4)")
    assert found == [("patched part", "boost(pipe.transformer)"), ("patched part", "set_weight(3.4)")]


@pytest.mark.parametrize(
    "line",
    [
        "print(pipe)",
        "embeds = encode(pipe, 'a kite')",
        "size = len(pipe.transformer.blocks)",
        "pipe.transformer.eval()",
        "pipe.transformer.requires_grad_(False)",
        "pipe.set_progress_bar_config(disable=True)",
        "compel = Compel(tokenizer=pipe.tokenizer, text_encoder=pipe.text_encoder)",
        "models = []\nmodels.append(pipe)",
        "set_weight(3.4)",
        "class Own(FluxPipeline):\n    def __init__(self):\n        super().__init__()\nown = Own()",
    ],
)
def test_what_only_reads_a_part_is_not_noted(line: str) -> None:
    assert notes(line) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("apply_cache_on_pipe(pipe)", "caching"),
        ("pipe.transformer.__class__.forward = teacache_forward", "caching"),
        ("F.scaled_dot_product_attention = lambda *given: None", "attention"),
        ("F.scaled_dot_product_attention = sage_attention", "attention"),
    ],
)
def test_the_kind_of_a_change_follows_from_its_words(line: str, kind: str) -> None:
    assert notes(line) == [(kind, line)]


@pytest.mark.parametrize(
    ("lines", "path", "value"),
    [
        ("pipe.scheduler._shift = 17", "scheduler.shift", 17),
        ("pipe.scheduler.config.shift = 5.0", "scheduler.shift", 5.0),
        ("pipe.enable_attention_slicing()", "numerics.attention_slicing", "auto"),
        ("pipe.enable_attention_slicing('max')", "numerics.attention_slicing", "max"),
        ("pipe.enable_freeu(s1=0.9, b1=1.2)", "numerics.freeu", {"s1": 0.9, "b1": 1.2}),
        ("pipe.transformer.set_attn_processor(AttnProcessor2_0())", "numerics.attention", "AttnProcessor2_0"),
        ("pipe.transformer.enable_xformers_memory_efficient_attention()", "numerics.attention", "xformers"),
        ("pipe.transformer.set_attention_backend('_native_math')", "numerics.attention", "_native_math"),
        ("pipe.transformer = torch.compile(pipe.transformer)", "numerics.compile", True),
        ("pipe.transformer.compile(fullgraph=True)", "numerics.compile.fullgraph", True),
        ("pipe.transformer.compile_repeated_blocks(mode='default')", "numerics.compile.regional", True),
        ("pipe.transformer.compile_repeated_blocks(mode='default')", "numerics.compile.mode", "default"),
        ("pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.2))", "cache.threshold", 0.2),
        ("pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.2))", "cache.class", "FirstBlockCacheConfig"),
        (
            BROADCAST,
            "cache.spatial_attention_block_skip_range",
            2,
        ),
        ("pipe.guider = ClassifierFreeGuidance(guidance_scale=5.0)", "guider.class", "ClassifierFreeGuidance"),
        ("pipe.update_components(guider=AutoGuidance(start=0.1))", "guider.start", 0.1),
        ("pipe.transformer.set_attention_backend('flash')", "numerics.attention", "diffusers:flash"),
        ("pipe.transformer.set_attention_backend(AttentionBackendName.SAGE)", "numerics.attention", "sage"),
        ("pipe.transformer.to(memory_format=torch.channels_last)", "numerics.memory_format", "channels_last"),
        ("pipe.transformer.fuse_qkv_projections()", "numerics.fused_qkv", True),
        ("torch.backends.cudnn.benchmark = True", "numerics.cudnn_benchmark", True),
        ("torch.set_default_dtype(torch.float64)", "numerics.default_dtype", "float64"),
    ],
)
def test_a_switch_is_a_setting(lines: str, path: str, value: Any) -> None:
    assert read(lines).settings.value(path) == value


@pytest.mark.parametrize(
    "lines",
    [
        "pipe.enable_freeu(s1=0.9)\npipe.disable_freeu()",
        "pipe.enable_attention_slicing()\npipe.disable_attention_slicing()",
        "with torch.autocast('cuda', torch.bfloat16):\n    torch.zeros(1)",
        "with torch.autocast('cuda', enabled=False):\n    pass",
        "def other():\n    with torch.autocast('cuda'):\n        return 1\nother()",
    ],
)
def test_what_is_switched_off_again_is_no_setting(lines: str) -> None:
    assert not [path for path in read(lines).settings if path.startswith("numerics.")]


@pytest.mark.parametrize(
    "switch", ["pipe.transformer.disable_cache()", "pipe.unet = pipe.transformer\npipe.unet.disable_cache()"]
)
def test_a_cache_that_is_disabled_again_is_no_setting(switch: str) -> None:
    reading = read(f"pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.2))\n{switch}")
    assert not [path for path in reading.settings if path.startswith("cache.")]
    assert not reading.notes


def test_a_guider_that_is_not_known_is_unknown() -> None:
    assert "guider.class" in read("pipe.guider = pipe.guider.new(guidance_scale=5.0)").unknowns


def test_the_variable_for_attention_acts_before_diffusers_is_imported() -> None:
    chosen = "import os\nos.environ['DIFFUSERS_ATTN_BACKEND'] = 'flash'\n"
    reading = read_text(f"{chosen}{LOADED}{CALL}\n", "run.py")
    assert reading.settings.value("numerics.attention") == "diffusers:flash"
    assert not reading.notes
    later = read(chosen)
    assert "numerics.attention" not in later.settings
    assert [note.kind for note in later.notes] == ["attention"]


@pytest.mark.parametrize(
    ("context", "dtype"),
    [
        ("torch.autocast('cuda', torch.bfloat16)", "bfloat16"),
        ("torch.autocast(device_type='cuda', dtype=torch.float16)", "float16"),
        ("torch.autocast('cuda')", "float16"),
        ("torch.amp.autocast('cpu')", "bfloat16"),
        ("torch.inference_mode(), torch.cuda.amp.autocast(dtype=torch.bfloat16)", "bfloat16"),
    ],
)
def test_the_dtype_of_an_autocast_block_holds_for_the_calls_inside(context: str, dtype: str) -> None:
    assert read("", f"with {context}:\n    {CALL}").settings.value("numerics.autocast") == dtype


@pytest.mark.parametrize(
    ("line", "scheme"),
    [
        ("quantize_(part, int8_weight_only())", "int8_weight_only()"),
        ("how = int8_weight_only\nquantize_(part, how())", "int8_weight_only()"),
        ("quantize_(part, Int4WeightOnlyConfig(group_size=32))", "Int4WeightOnlyConfig(group_size=32)"),
        ("quantize(part, weights=qfloat8)\nfreeze(part)", "optimum.quanto.qfloat8"),
        ("quantize_to_float8(part, QuantConfig('dynamic'))", "quantize_to_float8(QuantConfig('dynamic'))"),
        ("convert_to_fp8(part)", "convert_to_fp8()"),
    ],
)
def test_a_function_that_quantises_in_place_is_a_setting_with_its_scheme(line: str, scheme: str) -> None:
    reading = read(f"part = pipe.transformer\n{line}")
    assert reading.settings.value("load.quantization_config") == {"transformer": scheme}
    assert {note.kind for note in reading.notes} == {"quantisation"}


def test_a_scheme_follows_the_default_of_an_argument() -> None:
    lines = """
import argparse
p = argparse.ArgumentParser(); p.add_argument("--scheme", default="fp8"); a = p.parse_args()
def squeeze(part, scheme):
    if scheme == "int8":
        quantize_(part, int8_weight_only())
    elif scheme == "fp8":
        quantize_to_float8(part, QuantConfig("dynamic"))
    return part
squeeze(pipe.transformer, a.scheme)
"""
    reading = read(lines)
    usual = {"transformer": 'quantize_to_float8(QuantConfig("dynamic"))'}
    assert reading.settings.value("load.quantization_config") == usual
    others = [one.setting.value for one in reading.alternatives["load.quantization_config"][1:]]
    assert {"transformer": "int8_weight_only()"} in others


def test_two_parts_that_are_quantised_differently_are_named() -> None:
    lines = "quantize(pipe.transformer, weights=qfloat8)\nquantize_(pipe.text_encoder_2, int8_weight_only())"
    expected = {"text_encoder_2": "int8_weight_only()", "transformer": "optimum.quanto.qfloat8"}
    assert read(lines).settings.value("load.quantization_config") == expected


WITH_BITS = """
from diffusers import BitsAndBytesConfig, FluxTransformer2DModel, PipelineQuantizationConfig
bits = BitsAndBytesConfig(load_in_4bit=True)
"""
HOW = "how = {'weights_dtype': 'int8'}\nwhole = PipelineQuantizationConfig(quant_backend='quanto', "
FOUR_BITS = {"class": "BitsAndBytesConfig", "load_in_4bit": True}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("whole = PipelineQuantizationConfig(quant_mapping={'transformer': bits})", {"transformer": FOUR_BITS}),
        (
            HOW + "quant_kwargs=how, components_to_quantize='transformer')",
            {"transformer": {"backend": "quanto", "weights_dtype": "int8"}},
        ),
        (
            "whole = PipelineQuantizationConfig(quant_backend='quanto', quant_kwargs={'weights_dtype': 'int8'})",
            {
                "class": "PipelineQuantizationConfig",
                "quant_backend": "quanto",
                "quant_kwargs": {"weights_dtype": "int8"},
            },
        ),
        ("whole = PipelineQuantizationConfig(quant_mapping={'transformer': bits}) if busy() else None", None),
    ],
)
def test_what_a_pipeline_quantises_is_named_by_part(lines: str, expected: object) -> None:
    loaded = "\npipe = FluxPipeline.from_pretrained('org/flux', quantization_config=whole)"
    assert read(f"{WITH_BITS}{lines}{loaded}").settings.value("load.quantization_config") == expected


def test_a_part_that_is_loaded_by_itself_is_quantised_by_its_own_configuration_only() -> None:
    lines = """
whole = PipelineQuantizationConfig(quant_mapping={"transformer": bits, "text_encoder_2": bits})
part = FluxTransformer2DModel.from_pretrained("org/flux", subfolder="transformer")
pipe = FluxPipeline.from_pretrained("org/flux", transformer=part, quantization_config=whole)
quantize_(pipe.text_encoder, int8_weight_only())"""
    reading = read(WITH_BITS + lines)
    expected = {"text_encoder_2": FOUR_BITS, "text_encoder": "int8_weight_only()"}
    assert reading.settings.value("load.quantization_config") == expected
    assert {note.setting for note in reading.notes} == {"load.quantization_config"}


def test_a_configuration_that_nothing_is_known_to_use_is_a_note_of_its_own() -> None:
    (note,) = read(f"{WITH_BITS}part = fetched(bits)").notes
    assert (note.kind, note.setting) == ("quantisation", "")


def test_a_package_for_caching_is_noted_where_it_is_given_the_pipeline() -> None:
    lines = """
import cache_dit
from cache_dit.platforms import current_platform
count = current_platform.device_count()
options = cache_dit.DBCacheConfig(residual_diff_threshold=0.1)
cache_dit.enable_cache(pipe, cache_config=options)
"""
    assert notes(lines) == [("caching", "cache_dit.enable_cache(pipe, cache_config=options)")]


def test_latents_that_are_drawn_with_a_generator_have_its_seed() -> None:
    lines = "seeded = torch.Generator('cuda').manual_seed(7)\nlatents = torch.randn((1, 4), generator=seeded)"
    reading = read(lines, "pipe('a kite', latents=latents)")
    assert reading.settings.value("rng.seed") == 7
    assert reading.settings.value("rng.device") == "cuda"
    assert reading.notes == []


def test_the_dtype_of_single_parts_is_theirs() -> None:
    lines = (
        "pipe = FluxPipeline.from_pretrained('org/flux', torch_dtype={'default': torch.bfloat16, 'vae': torch.float32})"
    )
    settings = read(lines).settings
    assert settings.value("model.dtype") == "bfloat16"
    assert settings.value("load.vae") == {"dtype": "float32"}


def test_a_layer_of_a_network_is_no_upscaling() -> None:
    lines = """
class Remover(torch.nn.Module):
    def forward(self, picture):
        return _upsample_like(self.layer(picture), picture)
mask = Remover()(picture)
"""
    assert notes(lines) == []


def test_a_part_that_is_offloaded_by_itself_is_a_setting() -> None:
    lines = """
from diffusers.hooks import apply_group_offloading
text = T5EncoderModel.from_pretrained("org/t5")
apply_group_offloading(text, onload_device=torch.device("cuda"), offload_type="leaf_level")
pipe = FluxPipeline.from_pretrained("org/flux", text_encoder_2=text)
"""
    assert read(lines).settings.value("offload.text_encoder_2") == "group_offload"


def test_an_attention_processor_of_the_source_is_named_by_its_class() -> None:
    lines = "class CrossFrame:\n    pass\npipe.transformer.set_attn_processor(processor=CrossFrame())"
    assert read(lines).settings.value("numerics.attention") == "CrossFrame"

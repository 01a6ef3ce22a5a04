"""What a source loads or quantises apart from its pipeline is said in a scenario, and taken back by a variant."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.reading import read_text
from spacediff.scenario.scenario import Scenario, parse_scenario
from spacediff.why.differences import compare_sources
from spacediff.why.scenario_writer import corrected_text, scenario_text

HEAD = """import torch
from diffusers import (
    AutoencoderKL, BitsAndBytesConfig, FluxPipeline, FluxTransformer2DModel, GGUFQuantizationConfig,
    PipelineQuantizationConfig, QuantoConfig, StableDiffusionXLPipeline, TorchAoConfig,
)
from transformers import BitsAndBytesConfig as Bits, T5EncoderModel
from torchao.quantization import Int8WeightOnlyConfig, quantize_
ID = "org/flux"
"""
CALL = '\npipe("a leaf", generator=torch.Generator().manual_seed(1)).images[0].save("a.png")\n'
PLAIN = "pipe = FluxPipeline.from_pretrained(ID, torch_dtype=torch.bfloat16)"
FOUR_BITS = {"backend": "bitsandbytes_4bit", "bnb_4bit_quant_type": "nf4"}


def transformer(config: str) -> str:
    return f"""config = {config}
part = FluxTransformer2DModel.from_pretrained(
    ID, subfolder="transformer", quantization_config=config, torch_dtype=torch.bfloat16)
pipe = FluxPipeline.from_pretrained(ID, transformer=part, torch_dtype=torch.bfloat16)"""


def encoder(arguments: str) -> str:
    return f"""part = T5EncoderModel.from_pretrained(ID, subfolder="text_encoder_2"{arguments})
pipe = FluxPipeline.from_pretrained(ID, text_encoder_2=part, torch_dtype=torch.bfloat16)"""


def of_pipeline(arguments: str) -> str:
    return f"""config = PipelineQuantizationConfig({arguments})
pipe = FluxPipeline.from_pretrained(ID, quantization_config=config, torch_dtype=torch.bfloat16)"""


def file(name: str, more: str = "", dtype: str = "bfloat16") -> str:
    return f"""part = FluxTransformer2DModel.from_single_file("{name}", torch_dtype=torch.{dtype}{more})
pipe = FluxPipeline.from_pretrained(ID, transformer=part, torch_dtype=torch.bfloat16)"""


GGUF = ", quantization_config=GGUFQuantizationConfig(compute_dtype=torch.bfloat16)"


def written(script: str, space: str) -> tuple[str, Scenario]:
    """Return the written scenario as text and loaded; the corrected one says what the Space loads."""
    left, right = read_text(HEAD + script + CALL, "run.py"), read_text(HEAD + space + CALL, "app.py")
    found = compare_sources(left, right)
    every = {row.path for row in found.differences}
    corrected = parse_scenario(corrected_text(found, left, right, "org/space", every), Path("corrected.toml"))
    theirs = parse_scenario(
        scenario_text(compare_sources(right, right), right, right, "org/space"), Path("theirs.toml")
    )
    assert corrected.settings_of("baseline").table("components") == theirs.settings_of("baseline").table("components")
    text = scenario_text(found, left, right, "org/space")
    return text, parse_scenario(text, Path("why.toml"))


SAID = [
    (transformer('BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")'), {"quantization": FOUR_BITS}),
    (
        transformer("QuantoConfig(weights_dtype='int8')"),
        {"quantization": {"backend": "quanto", "weights_dtype": "int8"}},
    ),
    (transformer("TorchAoConfig('int8wo')"), {"quantization": {"backend": "torchao", "quant_type": "int8wo"}}),
    (
        transformer("TorchAoConfig(Int8WeightOnlyConfig(group_size=32))"),
        {"quantization": {"backend": "torchao", "quant_type": {"class": "Int8WeightOnlyConfig", "group_size": 32}}},
    ),
    (encoder(""), {"dtype": "default"}),
    (
        encoder(", quantization_config=Bits(load_in_8bit=True), torch_dtype=torch.float16"),
        {"quantization": {"backend": "bitsandbytes_8bit"}, "dtype": "float16"},
    ),
    (
        of_pipeline("quant_mapping={'text_encoder_2': Bits(load_in_4bit=True, bnb_4bit_quant_type='nf4')}"),
        {"quantization": FOUR_BITS},
    ),
    (
        of_pipeline(
            "quant_backend='bitsandbytes_4bit', components_to_quantize='transformer', "
            "quant_kwargs={'load_in_4bit': True, 'bnb_4bit_quant_type': 'nf4'}"
        ),
        {"quantization": FOUR_BITS},
    ),
    (file("./w.safetensors", dtype="float16"), {"file": "w.safetensors", "dtype": "float16"}),
    (file("w.safetensors", ', config=ID, subfolder="transformer"'), {"file": "w.safetensors"}),
    (file("org/w/a/b.gguf", GGUF), {"id": "org/w", "file": "a/b.gguf"}),
    (
        file("https://huggingface.co/org/w/resolve/v2/b.gguf?download=true", GGUF),
        {"id": "org/w", "file": "b.gguf", "revision": "v2"},
    ),
    (file("https://huggingface.co/org/w/blob/main/b.gguf", GGUF), {"id": "org/w", "file": "b.gguf"}),
]


@pytest.mark.parametrize(("script", "said"), SAID)
def test_how_a_component_is_loaded_is_said_and_a_variant_takes_it_back(script: str, said: dict[str, object]) -> None:
    text, scenario = written(script, PLAIN)
    (found,) = scenario.settings_of("baseline").table("components").values()
    found.pop("class", None)
    if "id" not in found and "file" in found:
        found["file"] = Path(found["file"]).name
    assert found == said
    assert not scenario.approximations
    assert "# open" not in text
    ((name, hosted),) = scenario.settings_of("as-hosted").table("components").items()
    if "file" in said:
        assert hosted == "own"
    else:
        expected = {"dtype": "bfloat16"} if "dtype" in said else {}
        assert hosted == expected | ({"quantization": "none"} if "quantization" in said else {}), name
    text, other = written(PLAIN, script)
    assert other.settings_of("as-hosted").table("components")
    assert "# open" not in text


@pytest.mark.parametrize(
    ("script", "setting", "reason"),
    [
        (transformer("TorchAoConfig(Int8WeightOnlyConfig(32))"), "load.quantization_config", "at its loading"),
        (transformer("BitsAndBytesConfig()"), "load.quantization_config", "at its loading"),
        (f"{PLAIN}\nquantize_(pipe.transformer, Int8WeightOnlyConfig())", "load.quantization_config", "at its loading"),
        (of_pipeline("quant_backend='quanto', quant_kwargs={}"), "load.quantization_config", "per component"),
        (
            of_pipeline("quant_backend='bitsandbytes_4bit', quant_kwargs={'x': 1}, components_to_quantize='unet'"),
            "load.quantization_config",
            "at its loading",
        ),
        (f"{PLAIN}\npart = fetched(BitsAndBytesConfig(load_in_4bit=True))", "quantisation", ""),
        (file("./w.ckpt"), "load.transformer", "takes .safetensors and .gguf files"),
        (file("./w.gguf", GGUF, dtype="float16"), "load.quantization_config", "at its loading"),
        (file("./w.safetensors", ", original_config='a.yaml'"), "load.transformer", "with original_config"),
    ],
)
def test_what_cannot_be_said_of_a_component_stays_an_approximation(script: str, setting: str, reason: str) -> None:
    _, scenario = written(script, PLAIN)
    found = {each.setting: each.reason or "" for each in scenario.approximations}
    assert reason in found[setting]
    assert not scenario.settings_of("baseline").table("components")
    text, _ = written(PLAIN, script)
    assert setting == "quantisation" or f"# open: {setting}" in text


OWN_DTYPE = """part = FluxTransformer2DModel.from_pretrained(ID, subfolder="transformer", torch_dtype=torch.float32)
pipe = FluxPipeline.from_pretrained(ID, transformer=part, torch_dtype=torch.bfloat16)"""


def test_a_variant_names_the_pipelines_own_component_where_its_dtype_differs() -> None:
    tuned = OWN_DTYPE.replace("ID, sub", "'me/tuned', revision='v1', sub").replace("float32", "float16")
    text, scenario = written(tuned, OWN_DTYPE)
    assert scenario.settings_of("as-hosted").table("components")["transformer"] == {
        "id": "org/flux",
        "subfolder": "transformer",
        "class": "FluxTransformer2DModel",
        "revision": "main",
        "dtype": "float32",
    }
    assert "# open" not in text


def test_a_file_that_a_variant_cannot_take_back_is_left_open() -> None:
    text, scenario = written(file("./w.safetensors"), OWN_DTYPE)
    assert scenario.settings_of("as-hosted").value("components.transformer.file")
    (line,) = [line for line in text.splitlines() if line.startswith("# open")]
    assert "load.transformer" in line
    assert "a variant cannot take back what the script loads" in line


def test_one_quantisation_is_said_and_the_other_left() -> None:
    script = (
        transformer("QuantoConfig(weights_dtype='int8')") + "\nquantize_(pipe.text_encoder, Int8WeightOnlyConfig())"
    )
    text, scenario = written(script, PLAIN)
    assert scenario.settings_of("baseline").value("components.transformer.quantization.backend") == "quanto"
    assert scenario.settings_of("as-hosted").value("components.transformer.quantization") == "none"
    (left,) = {each.value for each in scenario.approximations if each.setting == "load.quantization_config"}
    assert "text_encoder" in left
    assert "quanto" not in left
    assert "components" not in "".join(line for line in text.splitlines() if line.startswith("# open"))


def test_a_pipeline_from_one_file_is_said_by_its_path_and_class() -> None:
    script = 'pipe = StableDiffusionXLPipeline.from_single_file("{}", torch_dtype=torch.float16)'
    _, scenario = written(script.format("./x.safetensors"), PLAIN)
    assert not scenario.approximations
    for name in ("./x.ckpt", "models/x.safetensors"):
        _, scenario = written(script.format(name), PLAIN)
        assert {"checkpoint", "model.id"} & {each.setting for each in scenario.approximations}


def test_the_dtype_of_a_vae_follows_the_pipeline_of_the_space() -> None:
    """Its own dtype is no difference, but the pipeline's is, which the VAE would have otherwise."""
    script = """vae = AutoencoderKL.from_pretrained(ID, subfolder="vae", torch_dtype=torch.float32)
pipe = FluxPipeline.from_pretrained(ID, vae=vae, torch_dtype=torch.{})"""
    _, scenario = written(script.format("float32"), script.format("bfloat16"))
    hosted = scenario.settings_of("as-hosted")
    assert (hosted.value("model.dtype"), hosted.value("vae.dtype")) == ("bfloat16", "float32")


def test_a_quantisation_that_is_a_setting_is_counted_once() -> None:
    script = read_text(HEAD + transformer("BitsAndBytesConfig(load_in_4bit=True)") + CALL, "run.py")
    found = compare_sources(script, read_text(HEAD + PLAIN + CALL, "app.py"))
    assert "load.quantization_config" in {row.path for row in found.differences}
    assert not found.effects
    lost = read_text(HEAD + PLAIN + "\npart = fetched(BitsAndBytesConfig(load_in_4bit=True))" + CALL, "run.py")
    found = compare_sources(lost, read_text(HEAD + PLAIN + CALL, "app.py"))
    assert [each.kind for each in found.effects] == ["quantisation"]

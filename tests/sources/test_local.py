"""The local source on the tiny checkpoint, compared with a plain script of diffusers."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.clip import Clip
from spacediff.errors import NotMeasuredError, PackageUnavailable, UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.loading.checkpoint import Checkpoint
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.listeners import RememberingListener

PROMPT = "A hand squeezes half a lemon"
SMALL = {"num_inference_steps": 2, "num_frames": 5}


def declared(**tables: Any) -> Settings:
    merged = {"model": {"id": RANDOM.id}, "call": SMALL, "placement": "cpu", **tables}
    merged["call"] = {**SMALL, **tables.get("call", {})}
    merged["model"] = {"id": RANDOM.id, **tables.get("model", {})}
    return Settings.of(merged, Origin.DECLARED, "test")


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


@pytest.fixture(scope="module")
def baseline(source: LocalSource) -> Produced:
    return generate(source)


def generate(source: LocalSource, seed: int = 42, **tables: Any) -> Produced:
    return source.generate(declared(**tables), PROMPT, seed, RememberingListener())


def as_diffusers(scheduler: dict[str, Any] | None = None, dtype: torch.dtype = torch.float32, **call: Any) -> Clip:
    """Generate the clip with a plain script."""
    import diffusers

    pipe = diffusers.CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    if scheduler:
        name = scheduler.pop("class")
        pipe.scheduler = getattr(diffusers, name).from_config(pipe.scheduler.config, **scheduler)
    generator = torch.Generator().manual_seed(42)
    images = pipe(prompt=PROMPT, generator=generator, **SMALL, **call).frames[0]
    return Clip(np.stack([np.asarray(image) for image in images]), fps=8)  # type: ignore[arg-type]


VARIANTS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "dynamic-cfg": {"call": {"use_dynamic_cfg": True}},
    "dpm": {"scheduler": {"class": "CogVideoXDPMScheduler"}},
    "linspace": {"scheduler": {"timestep_spacing": "linspace"}},
    "model-offload": {"placement": "model_cpu_offload"},
    "group-offload": {"placement": "group_offload"},
    "slicing": {"vae": {"slicing": True}},
    "tiling": {"vae": {"tiling": True}},
    "math": {"numerics": {"attention": "math", "deterministic": True, "threads": 1, "tf32": True}},
    "older-noise": {"rng": {"stream": "torch<=2.11"}, "model": {"dtype": "bfloat16"}},
    "sequential": {"placement": "sequential_cpu_offload"},
}


@pytest.mark.parametrize("placement", ["model_cpu_offload", "group_offload"])
def test_an_offloaded_run_takes_over_the_denoising_of_another_without_an_accelerator(
    source: LocalSource, baseline: Produced, placement: str
) -> None:
    generate(source, placement=placement)
    taken = generate(source, placement=placement, vae={"slicing": True})
    assert taken.trace
    assert taken.trace.steps_made == 0
    assert np.array_equal(taken.clip.frames, baseline.clip.frames)


def test_the_clip_is_that_of_a_plain_script(baseline: Produced, source: LocalSource) -> None:
    assert baseline.clip.digest == as_diffusers().digest
    dpm = {"class": "CogVideoXDPMScheduler", "timestep_spacing": "linspace"}
    ours = generate(source, scheduler=dpm, call={"use_dynamic_cfg": True, "guidance_scale": 7.0})
    assert ours.clip.digest == as_diffusers(dict(dpm), use_dynamic_cfg=True, guidance_scale=7.0).digest
    assert ours.clip.digest != baseline.clip.digest


def test_half_precision_is_that_of_a_plain_script(source: LocalSource) -> None:
    ours = generate(source, model={"dtype": "bfloat16"})
    assert ours.clip.digest == as_diffusers(dtype=torch.bfloat16).digest
    assert ours.settings["model.dtype"].value == "bfloat16"


@pytest.mark.slow
def test_nothing_leaks_from_one_variant_to_the_next() -> None:
    """Every variant gives the same bytes alone in a new source and after every other one in either order."""

    def outcome(source: LocalSource, tables: dict[str, Any]) -> str:
        try:
            return generate(source, **tables).clip.digest
        except NotMeasuredError as error:
            return error.message

    alone = {name: outcome(LocalSource(), tables) for name, tables in VARIANTS.items()}
    forth, back = LocalSource(), LocalSource()
    assert {name: outcome(forth, tables) for name, tables in VARIANTS.items()} == alone
    assert {name: outcome(back, tables) for name, tables in reversed(VARIANTS.items())} == alone
    assert len(set(alone.values())) >= len(alone) - 4, "the variants must differ for this to prove anything"


@pytest.mark.parametrize("placement", ["model_cpu_offload", "group_offload"])
def test_offloading_changes_no_byte(source: LocalSource, baseline: Produced, placement: str) -> None:
    assert generate(source, placement=placement).clip.digest == baseline.clip.digest


@pytest.mark.parametrize(
    "tables",
    [
        {"call": {"use_dynamic_cfg": True}},
        {"call": {"guidance_scale": 7.0}},
        {"call": {"num_inference_steps": 5}},
        {"scheduler": {"class": "CogVideoXDPMScheduler"}},
        {"scheduler": {"timestep_spacing": "linspace"}},
        {"rng": {"seed": 43}},
        {"rng": {"dtype": "bfloat16"}},
        {"model": {"dtype": "bfloat16"}},
        {"output": {"rounding": "truncate"}},
    ],
    ids=str,
)
def test_settings_with_an_effect_change_the_clip(
    source: LocalSource, baseline: Produced, tables: dict[str, Any]
) -> None:
    assert generate(source, **tables).clip.digest != baseline.clip.digest


def test_the_global_generator_draws_the_noise_of_a_cpu_generator(source: LocalSource, baseline: Produced) -> None:
    assert generate(source, rng={"device": "global"}).clip.digest == baseline.clip.digest


def test_runs_do_not_change_the_loaded_weights(source: LocalSource) -> None:
    loaded, _ = source._checkpoints.load(declared())

    def state(checkpoint: Checkpoint) -> dict[str, tuple[int, bytes]]:
        pipe = checkpoint.pipeline
        return {
            f"{name}.{key}": (tensor.data_ptr(), tensor.numpy().tobytes())
            for name in ("transformer", "vae", "text_encoder")
            for key, tensor in getattr(pipe, name).state_dict().items()
        }

    before = state(loaded)
    for tables in VARIANTS.values():
        if "model" not in tables and tables.get("placement") != "sequential_cpu_offload":
            generate(source, **tables)
    after, _ = source._checkpoints.load(declared())
    assert after is loaded
    assert state(after) == before


def test_one_load_serves_all_variants_of_a_model_and_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    from spacediff.sources.local.loading import checkpoints

    loads: list[Settings] = []
    load = checkpoints._load

    def counted(settings: Settings, arguments: dict[str, Any]) -> Checkpoint:
        loads.append(settings)
        return load(settings, arguments)

    monkeypatch.setattr(checkpoints, "_load", counted)
    source = LocalSource()
    for tables in ({}, {"call": {"guidance_scale": 7.0}}, {"load": {"use_dynamic_cfg": True}}, {}):
        generate(source, **tables)
    assert len(loads) == 1
    generate(source, model={"dtype": "bfloat16"})
    assert len(loads) == 2


@pytest.mark.parametrize("first", [True, False], ids=["loaded with it", "given later"])
def test_an_argument_that_from_pretrained_ignores_is_reported(baseline: Produced, *, first: bool) -> None:
    source = LocalSource()
    if not first:
        assert generate(source).ignored == ()
    produced = generate(source, load={"use_dynamic_cfg": True})
    assert produced.clip.digest == baseline.clip.digest
    (ignored,) = produced.ignored
    assert (ignored.argument, ignored.value) == ("load.use_dynamic_cfg", True)
    assert ignored.given_to == "CogVideoXPipeline.from_pretrained"
    assert "call.use_dynamic_cfg" in ignored.advice


def test_an_argument_that_from_pretrained_uses_is_not_reported_as_ignored() -> None:
    produced = generate(LocalSource(), load={"low_cpu_mem_usage": False, "nonsense": 1})
    assert [ignored.argument for ignored in produced.ignored] == ["load.nonsense"]


def test_an_entry_of_a_configuration_that_this_version_does_not_know_is_reported(
    baseline: Produced, tmp_path: Path
) -> None:
    place = tmp_path / "newer"
    shutil.copytree(ensure_checkpoint(RANDOM), place)
    file = place / "vae" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "from_a_later_version": 3}))
    said = "AutoencoderKLCogVideoX does not know these entries of its configuration, and left them out: "
    assert f"{said}'from_a_later_version': 3" in generate(LocalSource(), model={"id": str(place)}).warnings
    assert not [each for each in baseline.warnings if "does not know" in each]


def test_a_scheduler_entry_that_its_class_ignores_is_reported(source: LocalSource) -> None:
    produced = generate(source, scheduler={"timestep_spacing": "trailing", "karras": True})
    assert [(ignored.argument, ignored.given_to) for ignored in produced.ignored] == [
        ("scheduler.karras", "CogVideoXDDIMScheduler.from_config")
    ]


def test_a_truncated_prompt_is_reported(source: LocalSource) -> None:
    produced = source.generate(declared(), "lemon " * 400, 42, RememberingListener())
    assert any("truncated" in warning for warning in produced.warnings)


def test_settings_are_complete_with_their_origins(baseline: Produced) -> None:
    found = {path: (setting.value, setting.origin) for path, setting in baseline.settings.items()}
    assert found["call.guidance_scale"] == (6, Origin.DEFAULT)
    assert found["call.use_dynamic_cfg"] == (False, Origin.DEFAULT)
    assert found["call.num_inference_steps"] == (2, Origin.DECLARED)
    assert found["call.height"] == (64, Origin.OBSERVED)
    assert found["scheduler.class"] == ("CogVideoXDDIMScheduler", Origin.DEFAULT)
    assert found["scheduler.prediction_type"] == ("v_prediction", Origin.DEFAULT)
    assert found["model.dtype"] == ("float32", Origin.DEFAULT)
    assert found["model.pipeline"] == ("CogVideoXPipeline", Origin.DEFAULT)
    assert found["rng.seed"] == (42, Origin.DEFAULT)
    assert found["placement"] == ("cpu", Origin.DECLARED)
    assert found["vae.tiling"] == (False, Origin.DEFAULT)
    assert "prompt" not in "".join(path for path in found if path.startswith("call.prompt") and "embeds" not in path)


def test_a_declared_pipeline_and_dtype_hide_nothing_else_of_the_model(source: LocalSource) -> None:
    asked = {"pipeline": "CogVideoXPipeline", "dtype": "float32"}
    found = generate(source, model=asked).settings
    assert {name: found[f"model.{name}"].value for name in ("id", *asked)} == {"id": RANDOM.id, **asked}


def test_every_step_is_reported(source: LocalSource) -> None:
    listener = RememberingListener()
    source.generate(declared(), PROMPT, 42, listener)
    assert listener.steps == [(1, 2), (2, 2)]
    assert listener.texts == ["loading the checkpoint", "generating"]


def without_cuda() -> Iterator[Any]:
    yield pytest.param({"placement": "cuda:1"}, "placement = 'cuda:1' cannot be used: ")
    yield pytest.param({"rng": {"device": "cuda"}}, "rng.device = 'cuda' cannot be used: ")
    yield pytest.param({"placement": "group_offload:1"}, "placement = 'group_offload:1' cannot be used: ")
    yield pytest.param({"placement": "sequential_cpu_offload"}, "sequential offload failed without an accelerator")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@pytest.mark.parametrize(("tables", "message"), list(without_cuda()))
def test_settings_that_need_an_accelerator_are_an_error_without_one(
    source: LocalSource, tables: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotMeasuredError, match=message) as caught:
        generate(source, **tables)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"call": {"num_inference_step": 3}}, "no argument 'num_inference_step'; did you mean 'num_inference_steps'?"),
        ({"scheduler": {"class": "CogVideoXDPMSchedule"}}, "no scheduler 'CogVideoXDPMSchedule'; did you mean"),
        ({"scheduler": {"class": "AutoencoderKL"}}, "no scheduler 'AutoencoderKL'"),
        ({"scheduler": {"beta_schedule": "none such"}}, "refuses its settings"),
        ({"model": {"pipeline": "CogVideoXPipelin"}}, "no pipeline class"),
        ({"model": {"id": "./nowhere"}}, "no folder"),
        ({"call": {"height": 63}}, "the generation failed: ValueError"),
    ],
)
def test_settings_that_cannot_work_are_an_error(source: LocalSource, tables: dict[str, Any], message: str) -> None:
    with pytest.raises(NotMeasuredError) as caught:
        generate(source, **tables)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.skipif(find_spec("torchsde") is not None, reason="the package of this scheduler is installed")
def test_a_scheduler_without_its_package_names_the_package(source: LocalSource) -> None:
    with pytest.raises(PackageUnavailable, match="DPMSolverSDEScheduler needs the package torchsde") as caught:
        generate(source, scheduler={"class": "DPMSolverSDEScheduler"})
    assert caught.value.hint == "pip install torchsde"


def test_a_failure_says_where_in_the_pipeline_it_was(source: LocalSource) -> None:
    with pytest.raises(NotMeasuredError) as caught:
        generate(source, call={"height": 63})
    assert re.search(r"ValueError: .*63.* \(in check_inputs, pipeline_cogvideox\.py line \d+\)$", caught.value.message)


def test_a_folder_without_a_checkpoint_is_an_error(source: LocalSource, tmp_path: Path) -> None:
    with pytest.raises(NotMeasuredError, match="could not be loaded"):
        generate(source, model={"id": str(tmp_path)})


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device has this kernel")
def test_an_attention_kernel_that_cannot_be_used_names_the_module(source: LocalSource) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        generate(source, numerics={"attention": "efficient"})
    assert re.match(
        r"numerics\.attention = 'efficient' cannot be used by text_encoder\.encoder\.block\.0\.layer\.0\.SelfAttention "
        r"\(T5Attention\): ",
        caught.value.message,
    )

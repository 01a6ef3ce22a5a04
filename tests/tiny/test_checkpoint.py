from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from spacediff.catalogue import builtin_checkpoints
from spacediff.errors import NotMeasuredError
from spacediff.files import cache_dir
from spacediff.observer.vae_tiles import tiles_of
from spacediff.tiny.architecture import HEIGHT, WIDTH
from spacediff.tiny.checkpoint import BUILTIN, RANDOM, TRAINED, TinyCheckpoint, ensure_checkpoint, fingerprint
from spacediff.tiny.trained import WEIGHTS
from support.fresh_process import FreshProcess
from support.paths import ROOT

LEMON = "A hand squeezes half a lemon over a glass bowl, close-up"

# scheduler/scheduler_config.json of zai-org/CogVideoX-5b, without the entries that only repeat the class and version
SCHEDULER_OF_5B = {
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "clip_sample_range": 1.0,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "sample_max_value": 1.0,
    "set_alpha_to_one": True,
    "snr_shift_scale": 1.0,
    "steps_offset": 0,
    "timestep_spacing": "trailing",
    "trained_betas": None,
}

Frames: TypeAlias = NDArray[np.float32]
Generate: TypeAlias = Callable[..., Frames]


@pytest.fixture(scope="module")
def pipeline(own_cache: None) -> Any:  # noqa: ARG001 - it must be set before the checkpoint is made
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    from diffusers import DiffusionPipeline

    loaded = DiffusionPipeline.from_pretrained(ensure_checkpoint(RANDOM))
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture(scope="module")
def generate(pipeline: Any) -> Generate:
    import torch

    def frames(prompt: str = LEMON, seed: int = 42, **call: Any) -> Frames:
        arguments = {"num_inference_steps": 12, "num_frames": 9, "output_type": "np"} | call
        generator = torch.Generator().manual_seed(seed)
        made: Frames = pipeline(prompt, generator=generator, **arguments).frames[0]
        return made

    return frames


@pytest.fixture(scope="module")
def usual(generate: Generate) -> Frames:
    return generate()


def psnr(one: Frames, other: Frames) -> float:
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def test_the_checkpoint_has_the_classes_of_cogvideox(pipeline: Any) -> None:
    names = {name: type(part).__name__ for name, part in pipeline.components.items()}
    assert type(pipeline).__name__ == "CogVideoXPipeline"
    assert names.pop("tokenizer") in {"T5Tokenizer", "T5TokenizerFast"}  # transformers 5, 4
    assert names == {
        "text_encoder": "T5EncoderModel",
        "transformer": "CogVideoXTransformer3DModel",
        "vae": "AutoencoderKLCogVideoX",
        "scheduler": "CogVideoXDDIMScheduler",
    }
    assert pipeline.vae_scale_factor_temporal == 4
    assert pipeline.vae_scale_factor_spatial == 8
    assert pipeline.transformer.config.use_rotary_positional_embeddings
    assert pipeline.transformer.config.max_text_seq_length == 226
    parameters = sum(
        p.numel() for part in ("text_encoder", "transformer", "vae") for p in getattr(pipeline, part).parameters()
    )
    assert 100_000 < parameters < 1_000_000


def test_scheduler_is_configured_as_that_of_the_5b(pipeline: Any) -> None:
    assert {k: v for k, v in pipeline.scheduler.config.items() if not k.startswith("_")} == SCHEDULER_OF_5B
    pipeline.scheduler.set_timesteps(50)
    assert pipeline.scheduler.timesteps[[0, 1, -1]].tolist() == [999, 979, 19]


def test_the_tokenizer_distinguishes_texts_and_accepts_any(pipeline: Any) -> None:
    def ids(text: str) -> tuple[int, ...]:
        return tuple(pipeline.tokenizer(text, padding="max_length", max_length=226, truncation=True).input_ids)

    texts = [
        "",
        LEMON,
        "lemon",
        "melon",
        "Lemon",
        "lemons",
        "una mano",
        "рука",
        "手",
        "柠檬",
        "레몬",
        "レモン",
        "🍋",
        "naïve",
        "<b>&",
    ]
    assert len({ids(text) for text in texts}) == len(texts)
    assert ids("a lemon") == ids("  a\n\tlemon ")  # T5 splits at white space
    for hostile in ("\0\x1b[31m", "ꙮ" * 5000, "</s><pad>", "\ud7ff"):
        assert len(ids(hostile)) == 226
        assert max(ids(hostile)) < pipeline.text_encoder.config.vocab_size
    assert len([i for i in ids(LEMON) if i]) < 2 * len(LEMON.split())  # words stay short, so long prompts fit


def test_a_clip_has_motion_and_contrast(usual: Frames, pipeline: Any) -> None:
    assert usual.shape == (9, 64, 96, 3)
    assert pipeline.transformer.config.sample_frames == 17  # what a call without num_frames gives
    assert np.isfinite(usual).all()
    assert usual.std() > 0.1
    assert np.mean((usual < 0.002) | (usual > 0.998)) < 0.25
    assert np.abs(np.diff(usual, axis=0)).mean(axis=(1, 2, 3)).min() > 1 / 255


def test_the_same_call_gives_the_same_bytes(usual: Frames, generate: Generate) -> None:
    assert generate().tobytes() == usual.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "A red car drives along the beach"},
        {"prompt": LEMON.replace("lemon", "melon")},
        {"prompt": ""},
        {"seed": 43},
        {"guidance_scale": 7.0},
        {"guidance_scale": 1.0},
        {"use_dynamic_cfg": True},
        {"num_inference_steps": 13},
        {"negative_prompt": "blurry"},
    ],
    ids=str,
)
def test_every_setting_of_the_call_is_visible(change: dict[str, Any], usual: Frames, generate: Generate) -> None:
    assert psnr(usual, generate(**change)) < 40  # dB; an MP4 as export_to_video writes it costs about as much


@pytest.mark.parametrize(
    ("name", "spacing"), [("CogVideoXDPMScheduler", "trailing"), ("CogVideoXDDIMScheduler", "linspace")]
)
def test_scheduler_is_visible(name: str, spacing: str, usual: Frames, generate: Generate, pipeline: Any) -> None:
    import diffusers

    before = pipeline.scheduler
    pipeline.scheduler = getattr(diffusers, name).from_config(before.config, timestep_spacing=spacing)
    try:
        assert psnr(usual, generate()) < 40
    finally:
        pipeline.scheduler = before


def test_rounding_is_small_compared_with_a_different_seed(usual: Frames, generate: Generate, pipeline: Any) -> None:
    import torch

    noise = torch.randn((1, 3, 16, 8, 12), generator=torch.Generator().manual_seed(42))
    nudged = noise + 1e-4 * torch.randn(noise.shape, generator=torch.Generator().manual_seed(1))
    another_seed = psnr(usual, generate(seed=43))
    assert psnr(generate(latents=noise), usual) == math.inf
    assert psnr(generate(latents=nudged), usual) > another_seed + 30
    in_half = copy.deepcopy(pipeline).to(torch.bfloat16)
    half = in_half(LEMON, latents=noise.bfloat16(), num_inference_steps=12, num_frames=9, output_type="np").frames[0]
    assert np.isfinite(half).all()
    assert another_seed + 10 < psnr(half, usual) < math.inf


def test_the_recipe_identifies_the_weights(pipeline: Any) -> None:
    from spacediff.tiny.tokenizer import vocabulary

    digest = hashlib.sha256(repr(vocabulary()).encode())
    for part in ("text_encoder", "transformer", "vae"):
        for name, weights in sorted(getattr(pipeline, part).named_parameters()):
            digest.update(name.encode() + weights.detach().numpy().tobytes())
    # Weights or words changed? Then count RANDOM.recipe up, or caches and audits keep what the old recipe made.
    assert {RANDOM.recipe: digest.hexdigest()} == {
        "tiny-cogvideox-random-4": "b95933b91700a1a01f54852e49cee7a5f68bb90a096addd668eb073af395df40"
    }


def test_two_builds_are_equal_and_do_not_change_random_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def random_states() -> str:
        states = (torch.get_rng_state().numpy().tobytes(), repr(np.random.get_state()), repr(random.getstate()))  # noqa: NPY002
        return hashlib.sha256(repr(states).encode()).hexdigest()

    prints = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        monkeypatch.setenv("SPACEDIFF_CACHE", str(tmp_path / str(seed)))
        before = random_states()
        prints.append(fingerprint(ensure_checkpoint(RANDOM)))
        assert random_states() == before
    assert prints[0] == prints[1]


def test_the_fingerprint_depends_on_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one").write_bytes(b"ab")
    first = fingerprint(tmp_path)
    (tmp_path / "sub" / "one").write_bytes(b"ac")
    changed = fingerprint(tmp_path)
    (tmp_path / "sub" / "one").write_bytes(b"ab")
    (tmp_path / "sub" / "one").rename(tmp_path / "sub" / "two")
    renamed = fingerprint(tmp_path)
    (tmp_path / "sub" / "two").rename(tmp_path / "sub" / "one")
    assert len({first, changed, renamed}) == 3
    assert fingerprint(tmp_path) == first


def test_the_folder_is_small_and_contains_no_local_paths(own_cache: None) -> None:  # noqa: ARG001
    folder = ensure_checkpoint(RANDOM)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12 * 1024**2
    assert "random weights" in (folder / "README.md").read_text()
    for path in files:
        content = path.read_bytes()
        for private in (str(cache_dir()), str(Path.home()) + "/", str(ROOT)):
            assert private.encode() not in content
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == "CogVideoXPipeline"


def test_the_trained_checkpoint_loads_and_differs_from_the_random_one(own_cache: None) -> None:  # noqa: ARG001
    from diffusers import DiffusionPipeline

    folder = ensure_checkpoint(TRAINED)
    loaded = DiffusionPipeline.from_pretrained(folder)
    assert type(loaded).__name__ == "CogVideoXPipeline"
    assert "trained on clips of plain shapes" in (folder / "README.md").read_text()
    assert fingerprint(folder) != fingerprint(ensure_checkpoint(RANDOM))
    assert BUILTIN == {"builtin:tiny-cogvideox": TRAINED, "builtin:tiny-cogvideox-random": RANDOM}


def test_the_stamp_of_the_trained_checkpoint_depends_on_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = TRAINED.stamp
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr("spacediff.tiny.checkpoint.WEIGHTS", tmp_path / "weights")
    assert TRAINED.stamp == before
    (tmp_path / "weights" / "about.json").write_text("{}")
    assert TRAINED.stamp != before
    assert RANDOM.stamp == RANDOM.recipe


@pytest.mark.parametrize("which", [TRAINED, RANDOM], ids=lambda which: which.name)
def test_tiles_of_the_vae_join_at_any_size(which: TinyCheckpoint) -> None:
    vae = which.build().vae
    down, across = tiles_of(vae)
    assert (down.join, across.join) == (True, True)
    assert (down.joined(8), across.joined(12)) == (HEIGHT, WIDTH)
    assert (down.joined(60), across.joined(90)) == (480, 720)
    assert down.tile < HEIGHT // 8  # the usual clip is larger than a tile
    assert across.tile < WIDTH // 8


def test_a_tiled_decoding_of_the_trained_checkpoint_shows_the_same_picture() -> None:
    import torch

    pipeline = TRAINED.build()

    def decoded(seed: int) -> Frames:
        call = {"num_inference_steps": 4, "num_frames": 5, "output_type": "np"}
        generator = torch.Generator().manual_seed(seed)
        frames: Frames = pipeline("a red ball rolls to the left over a grey floor", generator=generator, **call).frames[
            0
        ]
        return frames

    usual, another_seed = decoded(42), decoded(43)
    pipeline.vae.enable_tiling()
    tiled = decoded(42)
    assert tiled.shape == usual.shape
    assert psnr(another_seed, usual) < psnr(tiled, usual) < math.inf


def lose_a_file(folder: Path) -> None:
    (folder / "vae" / "config.json").unlink()


def cut_a_file_short(folder: Path) -> None:
    os.truncate(folder / "transformer" / "diffusion_pytorch_model.safetensors", 1000)


def change_a_byte(folder: Path) -> None:
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


def lose_the_fingerprint(folder: Path) -> None:
    (folder.parent / "fingerprint").unlink()


def put_a_file_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder.parent)
    folder.parent.write_text("")


@pytest.mark.parametrize(
    "damage", [lose_a_file, cut_a_file_short, change_a_byte, lose_the_fingerprint, put_a_file_in_its_place]
)
def test_a_damaged_folder_is_created_again(
    damage: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ensure_checkpoint(RANDOM)
    copy = tmp_path / whole.parent.name
    shutil.copytree(whole.parent, copy)
    monkeypatch.setenv("SPACEDIFF_CACHE", str(tmp_path))
    untouched = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    assert ensure_checkpoint(RANDOM) == copy / whole.name
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == untouched  # a whole one is kept
    damage(copy / whole.name)
    assert fingerprint(ensure_checkpoint(RANDOM)) == fingerprint(whole)
    assert [path.name for path in tmp_path.iterdir()] == [copy.name]  # and nothing is left lying about


@pytest.mark.parametrize("broken_before", [False, True])
def test_two_processes_at_once_both_end_with_a_complete_folder(tmp_path: Path, broken_before: bool) -> None:  # noqa: FBT001
    expected = ensure_checkpoint(RANDOM)
    if broken_before:
        (tmp_path / expected.parent.name / expected.name).mkdir(parents=True)
    code = "from spacediff.tiny.checkpoint import *; print(fingerprint(ensure_checkpoint(RANDOM)))"
    racers = [FreshProcess(env=os.environ | {"SPACEDIFF_CACHE": str(tmp_path)}, program=code) for _ in range(2)]
    printed = [racer.ended().stdout.strip() for racer in racers]
    assert printed == [fingerprint(expected)] * 2
    assert [path.name for path in tmp_path.iterdir()] == [expected.parent.name]


def test_a_cache_that_is_not_writable_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPACEDIFF_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(NotMeasuredError, match="cannot be written") as caught:
        ensure_checkpoint(RANDOM)
    assert "SPACEDIFF_CACHE" in caught.value.hint


def test_what_is_known_of_the_checkpoints_before_they_are_written_is_what_they_have() -> None:
    assert {*builtin_checkpoints.BUILTIN} == BUILTIN.keys()
    for each in BUILTIN.values():
        written = json.loads((ensure_checkpoint(each) / "scheduler" / "scheduler_config.json").read_text("utf-8"))
        assert written["_class_name"] == builtin_checkpoints.SCHEDULER_CLASS
        assert written.items() >= builtin_checkpoints.SCHEDULER_CONFIG.items()

"""The catalogue of known causes: that it holds what it has to, and which entry goes with a setting."""

from __future__ import annotations

import re

import pytest

from spacediff.catalogue.entries import SIZES
from spacediff.catalogue.lookup import CATALOGUE, Cause, as_markdown, known_cause, known_difference
from support.paths import ROOT

PAGE = ROOT / "docs" / "known-causes.md"

MUST_CONTAIN = {
    "scheduler": "from_config",
    "dynamic-cfg": "use_dynamic_cfg=True to the call",
    "guidance": "guidance_scale",
    "generator-device": "torch.Generator(device",
    "generator-dtype": "rng.dtype",
    "noise-torch-2.11": 'rng.stream = "torch<=2.11"',
    "noise-torch-2.12": 'rng.stream = "float32"',
    "random-seed": "-1 requests a random one",
    "reused-generator": "before every clip",
    "prompt-rewriting": "the text that the Space generated from",
    "prompt-truncation": "max_sequence_length",
    "prompt-truncation-cogvideox": "226 tokens",
    "frame-count-cogvideox": "8N + 1 for CogVideoX, 16N + 1 for CogVideoX 1.5",
    "float16-overflow": "bfloat16",
    "ignored-arguments": "where the library reads it",
    "lora-scale": "scale",
    "quantisation": "without quantisation",
    "vae-tiling": "tiling",
    "attention-backend": "kernel",
    "compile": "compile on both sides",
    "gpu-architecture": "the same GPU",
    "cuda-noise": "on the CPU",
    "codec": "encoder",
    "frame-rate": "fps",
    "frame-interpolation": "switch it off",
    "upscaling": "switch the upscaler off",
    "revision-drift": "revision=",
    "offloading": "nothing",
}
"""Causes that a reader of this field expects, each with a fragment of what to do about it."""


def test_every_cause_that_is_expected_has_an_entry_of_its_own() -> None:
    entries = {cause.id: cause for cause in CATALOGUE}
    assert {name for name, change in MUST_CONTAIN.items() if change in entries[name].change} == {*MUST_CONTAIN}
    assert "black" in entries["float16-overflow"].looks
    assert "not finite" in entries["float16-overflow"].detected
    assert [cause.id for cause in CATALOGUE if cause.size == "none"] == [
        "weights-variant", "vae-slicing", "offloading",
    ], "these change no number"  # fmt: skip


def test_every_entry_is_whole() -> None:
    for cause in CATALOGUE:
        assert re.fullmatch(r"[a-z0-9.-]+", cause.id)
        assert all((cause.name, cause.looks, cause.detected, cause.change, cause.source))
        assert cause.size in SIZES
    for name in ("id", "name", "change"):
        assert len({getattr(cause, name) for cause in CATALOGUE}) == len(CATALOGUE), "each entry is unique"


def test_no_two_entries_claim_the_same_setting() -> None:
    claimed = [(path, cause.families) for cause in CATALOGUE for path in cause.paths]
    assert len({*claimed}) == len(claimed)


@pytest.mark.parametrize("cause", CATALOGUE, ids=lambda cause: cause.id)
def test_a_documented_source_of_ours_is_there(cause: Cause) -> None:
    if cause.source.startswith("docs/"):
        assert (PAGE.parent.parent / cause.source).is_file()


def test_the_documentation_has_a_row_for_each_entry() -> None:
    """The page is read as a table: each cell of each entry stands in its column."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows] == [cause.id for cause in CATALOGUE]
    for row, cause in zip(rows, CATALOGUE, strict=True):
        assert re.findall(r"`([^`]+)`", row[2]) == [*cause.paths]
        assert row[3] == (", ".join(cause.families) or "all")
        assert row[1:2] + row[4:] == [cause.name, cause.looks, cause.detected, cause.size, cause.change, cause.source]
    assert PAGE.read_text("utf-8") == as_markdown(), (
        "regenerate it: python -c 'from spacediff.catalogue.lookup import as_markdown; print(as_markdown(), end=\"\")'"
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("scheduler.class", "scheduler"),
        ("scheduler.beta_schedule", "the scheduler's configuration"),
        ("scheduler.flow_shift", "shift of the noise schedule"),
        ("vae.slicing", "VAE slicing"),
        ("load.use_dynamic_cfg", "dynamic CFG"),
        ("load.quantization_config", "quantisation"),
        ("placement", "offloading"),
        ("output.fps", "frame rate"),
        ("output.quality", "codec"),
        ("numerics.attention", "attention backend"),
        ("numerics.compile", "torch.compile"),
        ("numerics.tf32", "kernels and TF32"),
        ("model.commit", "Hub revision drift"),
        ("vae.tiling", "VAE tiling seams"),
    ],
)
def test_the_most_exact_entry_goes_with_a_setting(path: str, name: str) -> None:
    cause = known_cause(path)
    assert cause
    assert cause.name == name


@pytest.mark.parametrize(
    ("path", "pipeline", "fragment"),
    [
        ("call.max_sequence_length", "CogVideoXPipeline", "226 tokens"),
        ("call.num_frames", "CogVideoXImageToVideoPipeline", "8N + 1"),
        ("model.dtype", "CogVideoXPipeline", "float16 for 2b"),
    ],
)
def test_what_holds_for_one_family_is_said_of_no_other(path: str, pipeline: str, fragment: str) -> None:
    own = known_difference(path, 1, 2, pipeline=pipeline)
    assert own
    assert fragment in own.change
    for other in ("FluxPipeline", "WanPipeline", "CogView4Pipeline", "MyCogVideoXPipeline", ""):
        general = known_difference(path, 1, 2, pipeline=other)
        assert general
        assert not general.families
        assert "CogVideoX" not in f"{general}"


@pytest.mark.parametrize(
    ("checkpoint", "left", "right", "entry"),
    [
        ("THUDM/CogVideoX-5b", "float16", "bfloat16", "float16-overflow"),
        ("zai-org/CogVideoX1.5-5B", "bfloat16", "float16", "float16-overflow"),
        ("black-forest-labs/FLUX.1-dev", "float16", "bfloat16", "precision"),
        ("THUDM/CogVideoX-2b", "float16", "bfloat16", "precision"),
        ("THUDM/CogVideoX-5b", "float32", "bfloat16", "precision"),
    ],
)
def test_float16_is_suspected_where_a_checkpoint_is_known_to_overflow(
    checkpoint: str, left: str, right: str, entry: str
) -> None:
    found = known_difference("model.dtype", left, right, checkpoint=checkpoint)
    assert found
    assert found.id == entry


def test_an_unknown_setting_has_no_entry() -> None:
    assert known_cause("call.attention_kwargs") is None


@pytest.mark.parametrize(
    ("left", "right", "entry"),
    [
        ("cpu", "cuda", "device-type"),
        ("mps", "cuda:1", "device-type"),
        ("model_cpu_offload", "cpu", "device-type"),
        (None, "cpu", "device-type"),
        ("cuda", "cuda:1", "offloading"),
        ("cuda", "model_cpu_offload:1", "offloading"),
        (None, "group_offload", "offloading"),
    ],
)
def test_placements_on_different_types_of_devices_are_not_said_to_make_no_difference(
    left: str | None, right: str, entry: str
) -> None:
    for pair in ((left, right), (right, left)):
        found = known_difference("placement", *pair)
        assert found
        assert found.id == entry

"""The ends of denoisings on disk: what is read is what was written, and nothing stays that nobody needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from spacediff.observer.observation import Observation
from spacediff.progress import SilentListener
from spacediff.settings import Origin, Settings
from spacediff.sources.local.denoised import Denoised, States
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.kept_embeddings import Embeddings, KeptEmbeddings
from spacediff.sources.local.kept_ends import KeptEnds
from spacediff.sources.local.tensor_files import _TEXT
from spacediff.store.store import DENOISED, Store
from spacediff.tiny.checkpoint import RANDOM

STEPS = 3


def end() -> Denoised:
    seen = Observation(latents=(torch.zeros(4), torch.zeros(4)))
    return Denoised(
        seen,
        torch.arange(64.0),
        {},
        {},
        "run",
        ("text embeddings",),
        States(None, torch.get_rng_state(), None),
        None,
        "",
    )


def test_an_end_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = KeptEnds(tmp_path)
    kept.put("a", end(), decoded=True)
    found = kept.get("a")
    assert found
    assert torch.equal(found.result, end().result)
    assert (found.made_by, found.shared) == ("run", ("text embeddings",))
    assert torch.equal(found.states.cpu, end().states.cpu)
    assert [each.tolist() for each in found.seen.latents] == [[0] * 4] * 2


def test_latents_lie_in_memory_as_they_did(tmp_path: Path) -> None:
    kept = KeptEnds(tmp_path)
    latents = torch.randn(1, 4, 6, 5).to(memory_format=torch.channels_last)  # as convolutions may return them
    kept.put("a", replace(end(), result=(latents, torch.tensor(3.0))), decoded=True)
    found = kept.get("a")
    assert found
    assert found.result[0].stride() == latents.stride() != latents.contiguous().stride()
    assert torch.equal(found.result[0], latents)


def test_an_end_with_a_flipped_bit_is_not_returned(tmp_path: Path) -> None:
    kept = KeptEnds(tmp_path)
    kept.put("a", end(), decoded=True)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert kept.get("a") is None


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", "{}", '{"seen": {"noise": 1}}', '{"seen": {"noise": null, "unknown": 1}}']
)
def test_an_end_that_nobody_wrote_is_not_returned(tmp_path: Path, text: str) -> None:
    kept = KeptEnds(tmp_path)
    kept.put("a", end(), decoded=True)
    (file,) = tmp_path.iterdir()
    save_file({"0": torch.zeros(1)}, file, metadata={_TEXT: text})
    assert kept.get("a") is None


def test_only_what_was_never_decoded_stays(tmp_path: Path) -> None:
    kept = KeptEnds(tmp_path)
    kept.put("a", end(), decoded=True)
    kept.put("b", end(), decoded=False)
    (tmp_path / ".123.draft").write_bytes(b"of a killed process")
    kept.clear()
    assert kept.get("a") is None
    assert kept.get("b")
    assert len(list(tmp_path.iterdir())) == 1


def test_starting_over_removes_the_ends_too(tmp_path: Path) -> None:
    kept = KeptEnds(tmp_path / DENOISED)
    kept.put("a", end(), decoded=True)
    kept.put("b", end(), decoded=False)
    kept.keep_target("a", "0" * 24)
    assert kept.target("0" * 24)
    KeptEmbeddings(tmp_path / DENOISED).put("0" * 64, Embeddings(torch.zeros(2), "run"))
    (tmp_path / DENOISED / "notes.txt").touch()
    Store(tmp_path).discard_all()
    assert [path.name for path in (tmp_path / DENOISED).iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("before", [False, True])
def test_an_end_of_an_audit_that_keeps_other_latents_is_not_used(tmp_path: Path, before: bool) -> None:  # noqa: FBT001
    """Otherwise a run would lack the latents of its steps, or have some that nobody asked for."""
    settings = Settings.of(
        {"model": {"id": RANDOM.id}, "call": {"num_inference_steps": STEPS, "num_frames": 5}, "placement": "cpu"},
        Origin.DECLARED,
    )
    for keep_latents in (before, not before):
        source = LocalSource(ends=tmp_path, keep_latents=keep_latents)
        made = source.generate(settings, "a lemon", 1, SilentListener())
        assert len(made.latents) == (STEPS + 1 if keep_latents else 0), "the noise and those of each step"

"""The training of the tiny model: repeatable, resumable, and correct in its losses."""

from __future__ import annotations

import contextlib
import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from spacediff.tiny.architecture import TEXT_TOKENS
from spacediff.tiny.trained import WEIGHTS, build_trained, build_untrained, write_weights
from spacediff.torchvision_shim import shim_torchvision
from spacediff.training import train
from spacediff.training.autoencoder import PIECE, Reconstructing, as_tensor
from spacediff.training.denoiser import Denoising, Latents, _attention_in_float32, hidden_matrices
from spacediff.training.learning import Schedule, learn

shim_torchvision()

TARGET = torch.linspace(-1.0, 1.0, 8)


def line() -> torch.nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torch.nn.Linear(8, 1)


def loss_of(module: torch.nn.Linear, step: int) -> torch.Tensor:
    inputs = torch.randn(16, 8, generator=torch.Generator().manual_seed(step))
    loss: torch.Tensor = (module(inputs)[:, 0] - inputs @ TARGET).square().mean()
    return loss


class Interrupted(Exception):
    pass


def test_a_stage_learns_and_writes_its_curve(tmp_path: Path) -> None:
    module = line()
    learn(
        Schedule("line", 400, 0.05, warm_up=10), module, lambda step: loss_of(module, step), tmp_path, lambda *_: None
    )
    assert torch.allclose(module.weight[0], TARGET, atol=0.05)
    with (tmp_path / "line.csv").open() as file:
        curve = list(csv.DictReader(file))
    assert [int(row["step"]) for row in curve] == list(range(50, 401, 50))
    assert float(curve[-1]["loss"]) < float(curve[0]["loss"]) / 10


def test_an_interrupted_stage_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacediff.training.learning._SAVE_EVERY", 0.0)
    schedule = Schedule("line", 120, 0.05, warm_up=10)

    def stop_at_73(step: int, _: float) -> None:
        if step == 73:
            raise Interrupted

    ends = []
    for name, on_step in (("whole", lambda *_: None), ("halved", stop_at_73)):
        folder = tmp_path / name
        folder.mkdir()
        module = line()
        try:
            learn(schedule, module, lambda step, module=module: loss_of(module, step), folder, on_step)  # type: ignore[misc]
        except Interrupted:
            module = line()
            learn(schedule, module, lambda step, module=module: loss_of(module, step), folder, lambda *_: None)  # type: ignore[misc]
        ends.append(module.weight.detach().clone())
    assert torch.equal(*ends)
    curves = [
        [line.rpartition(",")[0] for line in file.read_text().splitlines()] for file in tmp_path.glob("*/line.csv")
    ]
    assert curves[0] == curves[1]
    assert not torch.equal(ends[0], line().weight)


def test_muon_and_adamw_share_a_module_and_both_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacediff.training.learning._SAVE_EVERY", 0.0)
    schedule = Schedule("mlp", steps=40, rate=0.02, warm_up=5)
    inputs = torch.randn(32, 8, generator=torch.Generator().manual_seed(1))

    def learnt(folder: str, stops: tuple[int, ...], *, hidden: bool = True) -> list[torch.Tensor]:
        (tmp_path / folder).mkdir(exist_ok=True)

        def on_step(step: int, _: float) -> None:
            if step in stops:
                raise Interrupted

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 1))
        matrices = [module[0].get_parameter("weight")] if hidden else []
        with contextlib.suppress(Interrupted):
            learn(
                schedule,
                module,
                lambda _: (module(inputs)[:, 0] - inputs @ TARGET).square().mean(),
                tmp_path / folder,
                on_step,
                hidden=matrices,
            )
        return [parameter.detach().clone() for parameter in module.parameters()]

    whole = learnt("whole", ())
    learnt("halved", (17,))
    assert all(torch.equal(*pair) for pair in zip(whole, learnt("halved", ()), strict=True))
    plain = learnt("plain", (), hidden=False)
    assert not any(torch.allclose(*pair) for pair in zip(whole, plain, strict=True))


def test_the_hidden_matrices_are_all_linear_layers_of_the_blocks() -> None:
    pipe = build_untrained(0)
    hidden = hidden_matrices(pipe)
    assert all(matrix.ndim == 2 for matrix in hidden)
    known = {id(matrix) for matrix in hidden}
    assert len(known) == len(hidden)
    left = {name for name, parameter in pipe.transformer.named_parameters() if id(parameter) not in known}
    assert {name for name in left if name.startswith("transformer_blocks")} <= {
        name for name, parameter in pipe.transformer.named_parameters() if parameter.ndim == 1
    }
    assert {"patch_embed.proj.weight", "proj_out.weight"} <= left
    assert id(pipe.text_encoder.shared.weight) not in known


def test_the_timesteps_of_a_step_are_spread_over_the_whole_schedule() -> None:
    pipe = build_untrained(0)
    loss = Denoising(
        pipe, Latents(torch.zeros(1, 16, 5, 8, 12), torch.zeros(1), [""]), batch=10, tokens=4, seed=0, device="cpu"
    )
    drawn = [loss._times(torch.Generator().manual_seed(seed)) for seed in range(40)]
    assert all((times // 100).tolist() == list(range(10)) for times in drawn)
    assert {int(times[0]) for times in drawn} != {int(drawn[0][0])}


def test_attention_under_autocast_is_computed_in_float32() -> None:
    query, key, value = torch.randn(3, 1, 2, 5, 4, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    expected = scaled_dot_product_attention(query.float(), key.float(), value.float()).to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16), _attention_in_float32():
        found = scaled_dot_product_attention(query, key, value)
    assert torch.equal(found, expected)
    assert found.dtype == torch.bfloat16


def test_the_learning_rate_warms_up_and_decays_to_zero() -> None:
    schedule = Schedule("c", steps=1000, rate=1.0, warm_up=100, decay=0.5)
    rates = [schedule.rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[100] == rates[499] == 1.0
    assert rates[750] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.01


def test_pieces_are_a_chunk_long_and_a_quarter_of_the_picture() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (17, 64, 96, 3), np.uint8)
    loss = Reconstructing(None, [clip], batch=3, whole=False, seed=1, device="cpu")
    pieces = list(loss._sample(5))
    assert [piece.shape for piece in pieces] == [(*PIECE, 3)] * 3
    assert all(np.array_equal(*pair) for pair in zip(pieces, loss._sample(5), strict=True))
    assert not np.array_equal(pieces[0], next(iter(loss._sample(6))))
    tensor = as_tensor(pieces)
    assert tensor.shape == (3, 3, *PIECE)
    assert [float(tensor.min()), float(tensor.max())] == [-1.0, 1.0]


def test_the_loss_is_that_of_the_velocity_defined_by_the_scheduler() -> None:
    """If all latents are zero, the velocity is weighted noise, and its mean square over all times is known."""
    pipe = build_untrained(0)
    shape = (4, 16, 5, 8, 12)
    zero = Latents(torch.zeros(shape), torch.zeros(shape), ["a red ball falls over a grey floor"] * 4)
    for parameter in pipe.transformer.proj_out.parameters():
        parameter.data.zero_()  # a transformer that predicts nothing
    loss = Denoising(pipe, zero, batch=64, tokens=TEXT_TOKENS, seed=3, device="cpu")
    with torch.no_grad():
        measured = float(loss(0))
    # v = sqrt(alpha) noise - sqrt(1 - alpha) clean (Salimans and Ho 2022), and the clean term is zero here
    draw = torch.Generator().manual_seed(3)
    torch.randint(4, (64,), generator=draw)
    for _ in range(2):
        torch.randn((64, *shape[1:]), generator=draw)
    times = ((torch.arange(64) + torch.rand(64, generator=draw)) / 64 * 1000).long()
    expected = float(pipe.scheduler.alphas_cumprod[times].mean())
    assert math.isclose(measured, expected, rel_tol=0.01)


@pytest.mark.slow
def test_all_stages_at_small_size_give_weights_that_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AUTOENCODER_CLIPS": 3, "CLIPS": 3, "PIECE_BATCH": 1, "WHOLE_BATCH": 1, "BATCH": 2}.items():
        monkeypatch.setattr(train, name, value)
    for name in ("PIECES", "WHOLE", "SHORT", "FULL"):
        monkeypatch.setattr(train, name, Schedule(name.lower(), steps=2, rate=1e-3))
    out = tmp_path / "weights"
    monkeypatch.setattr("sys.argv", ["train", "--work", str(tmp_path / "work"), "--out", str(out)])
    train.main()
    first = build_trained(out)
    assert first.vae.config.scaling_factor != 1.0
    untrained = build_untrained(train.SEED)
    for part in ("vae", "transformer", "text_encoder"):
        ours, theirs = (next(getattr(pipe, part).parameters()) for pipe in (first, untrained))
        assert not torch.allclose(ours, theirs, atol=1e-4), part
    train.main()  # everything exists: it only writes the same weights again
    assert all(
        torch.equal(*pair) for pair in zip(first.vae.parameters(), build_trained(out).vae.parameters(), strict=True)
    )


def test_the_shipped_weights_are_small_and_written_without_loss(tmp_path: Path) -> None:
    files = sorted(WEIGHTS.glob("*.safetensors"))
    assert [file.stem for file in files] == ["text_encoder", "transformer", "vae"]
    assert sum(file.stat().st_size for file in files) <= 12e6
    write_weights(build_trained(), tmp_path)
    assert all((tmp_path / file.name).read_bytes() == file.read_bytes() for file in files)

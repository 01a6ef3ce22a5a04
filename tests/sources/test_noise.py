from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.comparing.noise_streams import stream_warning
from spacediff.errors import UnsupportedSetting
from spacediff.record import NoiseRecord, Role, RunRecord, SettingRecord, TraceRecord
from spacediff.settings import Origin, Settings
from spacediff.sources.local.noise import generator_for, randn_as_older_torch
from spacediff.wording import presenting, sentence
from support.fuzzing import examples
from support.paths import ROOT
from support.synthetic_audit import synthetic_audit

GOLDEN = np.load(ROOT / "tests" / "data" / "randn_torch_2.11_cpu_seed42.npz")
"""Two successive draws by torch 2.11.0, `torch.Generator("cpu").manual_seed(42)`, as float32."""


def rng(**values: str) -> Settings:
    return Settings.of({"rng": values}, Origin.DECLARED)


@pytest.mark.parametrize("name", GOLDEN.files)
def test_older_torch_is_reproduced_bit_for_bit(name: str) -> None:
    dtype = getattr(torch, name.split("_", maxsplit=1)[0])
    generator = torch.Generator().manual_seed(42)
    for expected in GOLDEN[name]:
        drawn = randn_as_older_torch(expected.shape, dtype, generator)
        assert drawn.dtype == dtype
        assert np.array_equal(drawn.float().numpy(), expected)
        now = torch.randn(expected.shape, dtype=dtype, generator=torch.Generator().manual_seed(42))
        if torch.__version__ >= "2.12":
            assert not np.array_equal(now.float().numpy(), expected)


@pytest.mark.parametrize("name", GOLDEN.files)
def test_a_run_draws_from_the_declared_stream(name: str) -> None:
    dtype = getattr(torch, name.split("_", maxsplit=1)[0])
    with generator_for(rng(stream="torch<=2.11"), 42) as generator:
        for expected in GOLDEN[name]:
            drawn = torch.randn(expected.shape, generator=generator, device=torch.device("cpu"), dtype=dtype)
            assert np.array_equal(drawn.float().numpy(), expected)
    with generator_for(rng(device="global", stream="torch<=2.11"), 42):
        drawn = torch.randn(*GOLDEN[name].shape[1:], dtype=dtype)
        assert np.array_equal(drawn.float().numpy(), GOLDEN[name][0])


@pytest.mark.parametrize("values", [{"stream": "float32"}, {"dtype": "float32"}])
def test_drawing_in_float32_casts_float32_noise(values: dict[str, str]) -> None:
    with generator_for(rng(**values), 7) as generator:
        drawn = torch.randn((3, 35), generator=generator, dtype=torch.bfloat16)
    expected = torch.randn((3, 35), generator=torch.Generator().manual_seed(7)).to(torch.bfloat16)
    assert torch.equal(drawn, expected)


def test_without_settings_the_noise_is_that_of_torch() -> None:
    with generator_for(rng(), 7) as generator:
        drawn = torch.randn(40, generator=generator, dtype=torch.bfloat16)
    assert torch.equal(drawn, torch.randn(40, generator=torch.Generator().manual_seed(7), dtype=torch.bfloat16))


def test_float32_noise_did_not_change() -> None:
    drawn = randn_as_older_torch((5, 33), torch.float32, torch.Generator().manual_seed(3))
    assert torch.equal(drawn, torch.randn((5, 33), generator=torch.Generator().manual_seed(3)))


@settings(max_examples=examples(30))
@given(shape=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple), seed=st.integers(0, 2**32))
def test_any_shape_is_drawn_and_the_generator_advances(shape: tuple[int, ...], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    first = randn_as_older_torch(shape, torch.bfloat16, generator)
    second = randn_as_older_torch(shape, torch.bfloat16, generator)
    assert first.shape == shape
    assert first.isfinite().all()
    if first.numel() >= 16:
        assert not torch.equal(first, second)


def test_a_run_restores_the_global_generator() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with generator_for(rng(device="global"), 42) as generator:
        assert generator is None
        torch.rand(10)
    assert torch.equal(torch.rand(3), expected)


def drew(
    device: str = "cpu", dtype: str = "bfloat16", stream: str = "torch 2.13.0", declared_dtype: str = ""
) -> RunRecord:
    noise = NoiseRecord(digest="0", mean=0, std=1, low=-1, high=1, shape=[1], dtype=dtype, device=device)
    return RunRecord(
        key="k",
        name="baseline",
        role=Role.BASELINE,
        prompt="p",
        source="diffusers",
        measured=True,
        settings={
            "rng.stream": SettingRecord(value=stream, origin=Origin.DEFAULT),
            "rng.dtype": SettingRecord(value=declared_dtype or dtype, origin=Origin.DECLARED),
        },
        trace=TraceRecord(noise=noise),
    )


def test_a_space_with_a_different_noise_stream_gives_a_warning() -> None:
    (warned,) = stream_warning("2.13.0+cpu", "==2.4.0", [drew()])
    assert warned.values == {
        "hosted": "2.4.0",
        "local": "2.13.0+cpu",
        "runs": ["baseline"],
        "stream": "torch<=2.11",
    }
    assert 'rng.stream = "torch<=2.11"' in sentence(warned)
    (newer,) = stream_warning("2.11.0", "==2.12.0", [drew()])
    assert "rng.stream" not in sentence(newer)
    for older in ("<=2.11", "~=2.4.0", ">=2.0,<2.9"):
        (warned,) = stream_warning("2.13.0", older, [drew()])
        assert warned.values["hosted"] == older


def test_the_installed_torch_of_a_program_is_named_as_its_own(tmp_path: Path) -> None:
    (warned,) = stream_warning("2.13.0+cpu", "2.4.0+cu121", [drew()])
    record = synthetic_audit(tmp_path)
    runs = [run.model_copy(update={"source": "command"} if run.name == record.reference else {}) for run in record.runs]
    with presenting(record.model_copy(update={"runs": runs})):
        assert sentence(warned).startswith("The program has torch 2.4.0+cu121, this machine has 2.13.0+cpu")


@pytest.mark.parametrize(
    ("hosted", "run"),
    [
        ("2.12.1", drew()),
        ("==2.12.1", drew()),
        ("", drew()),
        (">=2.4", drew()),
        ("any version", drew()),
        ("==2.4.0", drew(device="cuda")),
        ("==2.4.0", drew(dtype="float32")),
        ("==2.4.0", drew(declared_dtype="float32")),
        (">=2.0,!=2.5", drew()),
        ("nonsense", drew()),
        ("==2.4.0", drew(stream="torch<=2.11")),
    ],
)
def test_equal_or_unknown_noise_streams_give_no_warning(hosted: str, run: RunRecord) -> None:
    assert stream_warning("2.13.0", hosted, [run]) == []


def test_only_the_generators_of_the_device_in_use_are_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)]
    for module in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(module, "is_available", lambda: False)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "device_count", lambda: 2)
    monkeypatch.setattr(torch.xpu, "default_generators", ours)
    monkeypatch.setattr(torch.xpu, "get_rng_state", lambda index: ours[index].get_state())
    monkeypatch.setattr(torch.xpu, "set_rng_state", lambda state, index: ours[index].set_state(state))
    before = [generator.get_state() for generator in ours]
    cpu = torch.get_rng_state()
    with generator_for(Settings.of({"placement": "xpu:1", "rng": {"device": "global"}}, Origin.DECLARED), 7):
        assert torch.equal(ours[0].get_state(), before[0])
        assert torch.equal(ours[1].get_state(), torch.Generator().manual_seed(7).get_state())
        assert torch.equal(torch.get_rng_state(), torch.Generator().manual_seed(7).get_state())
        torch.randn(3, generator=ours[1])
    assert torch.equal(ours[1].get_state(), before[1])
    assert torch.equal(torch.get_rng_state(), cpu)
    with generator_for(Settings.of({"placement": "cpu", "rng": {"device": "global"}}, Origin.DECLARED), 7):
        assert all(map(torch.equal, before, [generator.get_state() for generator in ours]))


def test_a_device_without_generators_is_an_error() -> None:
    settings = Settings.of({"placement": "meta", "rng": {"device": "meta"}}, Origin.DECLARED)
    with (
        pytest.raises(UnsupportedSetting, match=r"torch makes no generator on rng\.device = 'meta'"),
        generator_for(settings, 7),
    ):
        pass

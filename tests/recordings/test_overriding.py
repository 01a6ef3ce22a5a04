"""Settings that are put in at the entry of a call, on a tiny pipeline in this process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision
from spacediff.watch import rebuilding
from spacediff.watch.effective import settings_of
from spacediff.watch.offered import offered_by
from spacediff.watch.overriding import Overriding
from spacediff.watch.pipeline_call import PipelineCall
from spacediff.watch.refusing import RefusedError
from spacediff.watch.state import State
from spacediff.watch.writing import Writer

shim_torchvision()


@pytest.fixture
def pipeline() -> Any:
    from diffusers import CogVideoXPipeline

    return CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), dtype=torch.float32)


def unnoted(_: str) -> AbstractContextManager[None]:
    """Hide nothing that fails while the call is looked at."""
    return nullcontext()


def given_after(pipeline: Any, content: Mapping[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the arguments of a call after something was put in."""
    overriding = Overriding(content)
    call = overriding.put_in(PipelineCall(type(pipeline).__call__, pipeline, args, kwargs), unnoted)
    overriding.refuse_what_waits()
    return call.given


def refused(pipeline: Any, settings: Mapping[str, Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        given_after(pipeline, {"settings": settings}, *args, **kwargs)
    return str(caught.value)


def test_arguments_are_put_in_by_name_where_they_were_given_by_position(pipeline: Any) -> None:
    given = given_after(
        pipeline, {"settings": {"call": {"negative_prompt": "red", "num_frames": 5}}}, "a lemon", "blue", num_frames=9
    )
    assert (given["prompt"], given["negative_prompt"], given["num_frames"]) == ("a lemon", "red", 5)


def test_the_prompt_is_put_in_as_the_script_passes_it(pipeline: Any) -> None:
    assert given_after(pipeline, {"prompt": "a lime"}, ["a lemon"])["prompt"] == ["a lime"]
    assert given_after(pipeline, {"prompt": "a lime"}, prompt="a lemon")["prompt"] == "a lime"
    with pytest.raises(RefusedError, match="embeddings"):
        given_after(pipeline, {"prompt": "a lime"}, prompt_embeds=torch.zeros(1))
    with pytest.raises(RefusedError, match="2 prompts"):
        given_after(pipeline, {"prompt": "a lime"}, ["a", "b"])


def test_a_subclass_that_passes_its_arguments_on_gets_them_in_the_inner_call(pipeline: Any) -> None:
    def outer(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    overriding = Overriding({"settings": {"call": {"guidance_scale": 3.0}}})
    call = overriding.put_in(PipelineCall(outer, pipeline, ("a lemon",), {}), unnoted)
    assert call.kwargs == {}
    with pytest.raises(RefusedError, match=r"call\.guidance_scale"):
        overriding.refuse_what_waits()
    inner = overriding.put_in_inner(PipelineCall(type(pipeline).__call__, pipeline, ("a lemon", "", 9.0), {}))
    assert inner.given["guidance_scale"] == 3.0
    overriding.refuse_what_waits()


def test_a_generator_is_seeded_again_unless_it_has_the_seed(pipeline: Any) -> None:
    mine = torch.Generator().manual_seed(7)
    assert given_after(pipeline, {"seed": 7}, "a", generator=mine)["generator"] is mine
    other = given_after(pipeline, {"seed": 8}, "a", generator=mine)["generator"]
    assert (other.initial_seed(), mine.initial_seed()) == (8, 7)
    torch.randn(3, generator=mine)
    assert given_after(pipeline, {"seed": 7}, "a", generator=mine)["generator"] is mine


def test_a_misspelt_name_is_refused_with_the_nearest_one(pipeline: Any) -> None:
    for settings, nearest in (
        ({"call": {"guidance_scal": 3.0}}, "guidance_scale"),
        ({"scheduler": {"class": "EulerDiscreetScheduler"}}, "EulerDiscreteScheduler"),
        ({"scheduler": {"timestep_spacin": "leading"}}, "timestep_spacing"),
    ):
        with pytest.raises(RefusedError, match=f"; did you mean '{nearest}'"):
            given_after(pipeline, {"settings": settings, "look": True}, "a")
    assert "did you mean" not in refused(pipeline, {"call": {"xyzzy": 1}}, "a")


def seeded(seed: int) -> Any:
    """Return a generator from which a script has drawn this and that."""
    generator = torch.Generator().manual_seed(seed)
    torch.randn(1, 4, 8, 8, generator=generator)
    torch.rand(3, generator=generator, dtype=torch.float64)
    torch.randperm(10, generator=generator)
    return generator


def test_another_seed_gives_what_the_script_would_have_drawn_with_it(pipeline: Any) -> None:
    mine = seeded(7)
    before = mine.get_state()
    other = given_after(pipeline, {"settings": {"rng": {"seed": 8}}}, "a", generator=mine)["generator"]
    assert torch.equal(torch.randn(99, generator=other), torch.randn(99, generator=seeded(8)))
    assert torch.equal(mine.get_state(), before)


def test_a_normal_number_that_is_kept_for_a_small_draw_hides_no_place(pipeline: Any) -> None:
    mine, theirs = torch.Generator().manual_seed(7), torch.Generator().manual_seed(8)
    for each in (mine, theirs):
        torch.randn(3, generator=each)  # makes four, and keeps one
        torch.randn(64, generator=each)
    other = given_after(pipeline, {"seed": 8}, "a", generator=mine)["generator"]
    assert torch.equal(torch.rand(99, generator=other), torch.rand(99, generator=theirs))


def test_several_generators_keep_the_distance_of_their_seeds(pipeline: Any) -> None:
    first, second = seeded(1), torch.Generator().manual_seed(5)
    found = given_after(pipeline, {"settings": {"rng": {"seed": 8}}}, "a", generator=[first, second, first])
    one, two, again = found["generator"]
    assert (one.initial_seed(), two.initial_seed()) == (8, 12)
    assert again is one
    assert torch.equal(torch.rand(9, generator=one), torch.rand(9, generator=seeded(8)))


def test_a_generator_whose_place_is_not_found_is_refused_with_what_to_do(
    pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "_MOST_DRAWN", 2**10)
    mine = torch.Generator().manual_seed(7)
    torch.randn(2**11, generator=mine)
    with pytest.raises(RefusedError) as caught:
        given_after(pipeline, {"seed": 8}, "a", generator=mine)
    assert "drawn from its generator, seeded with 7, before the call, and how much is not to be found" in str(
        caught.value
    )
    assert "generator=torch.Generator().manual_seed(8)" in caught.value.hint
    with torch.random.fork_rng():
        torch.manual_seed(7)
        torch.randn(2**11)
        assert "drawn from torch's global generator, seeded with 7" in refused(pipeline, {"rng": {"seed": 8}}, "a")


def test_latents_that_the_script_passes_are_those_of_its_own_seed_only(pipeline: Any) -> None:
    mine, noise = torch.Generator().manual_seed(7), torch.zeros(1)
    assert given_after(pipeline, {"seed": 7}, "a", generator=mine, latents=noise)["latents"] is noise
    assert "how it was drawn" in refused(pipeline, {"rng": {"seed": 8}}, "a", generator=mine, latents=noise)
    with pytest.raises(RefusedError, match=r"rng\.seed: .*as latents, and its generator has the seed 7") as caught:
        given_after(pipeline, {"seed": 8}, "a", generator=mine, latents=noise)
    assert caught.value.hint.startswith("give the prompt the seed 7, or let it pass generator=")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        assert given_after(pipeline, {"seed": 5}, "a", latents=noise)["latents"] is noise
        with pytest.raises(RefusedError, match="has the seed 5"):
            given_after(pipeline, {"seed": 6}, "a", latents=noise)


def test_latents_that_are_noise_of_the_seed_are_drawn_again_for_another(pipeline: Any) -> None:
    def drawn(seed: int) -> tuple[Any, Any]:
        generator = torch.Generator().manual_seed(seed)
        return generator, torch.randn(1, 4, 8, 8, generator=generator).to(torch.bfloat16)

    (mine, noise), (theirs, other) = drawn(7), drawn(8)
    assert given_after(pipeline, {"seed": 7}, "a", generator=mine, latents=noise)["latents"] is noise
    found = given_after(pipeline, {"seed": 8}, "a", generator=mine, latents=noise)
    assert torch.equal(found["latents"], other)
    assert torch.equal(torch.rand(9, generator=found["generator"]), torch.rand(9, generator=theirs))


def test_noise_of_an_unknown_seed_is_taken_as_it_is_where_the_script_seeds_nothing(pipeline: Any) -> None:
    overriding, noise = Overriding({"seed": 6}), torch.zeros(1)
    call = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {"latents": noise})
    assert overriding.put_in(call, unnoted, torch.initial_seed()).given["latents"] is noise
    (warning,) = overriding.warnings
    assert "whether it is that of the seed 6 is unknown" in warning


def test_without_a_generator_torch_is_seeded_and_is_where_the_script_is(pipeline: Any) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert given_after(pipeline, {"seed": 5}, "a")["generator"] is None
        assert torch.initial_seed() == 5
        made = given_after(pipeline, {"seed": 5, "settings": {"rng": {"device": "cpu"}}}, "a")["generator"]
        assert made.initial_seed() == 5
        torch.manual_seed(1)
        torch.randn(64)
        given_after(pipeline, {"seed": 5}, "a")
        found = torch.rand(9)
        torch.manual_seed(5)
        torch.randn(64)
        assert torch.equal(found, torch.rand(9))


def test_a_script_that_seeds_nothing_is_said_to_get_the_seed(pipeline: Any) -> None:
    def warnings(torch_seed: int, content: Mapping[str, Any]) -> list[str]:
        with torch.random.fork_rng():
            overriding = Overriding(content)
            overriding.put_in(PipelineCall(type(pipeline).__call__, pipeline, ("a",), {}), unnoted, torch_seed)
        return overriding.warnings

    (warning,) = warnings(torch.initial_seed(), {"seed": 5})
    assert "torch's global generator was given the seed 5" in warning
    assert warnings(torch.initial_seed() + 1, {"seed": 5}) == []
    assert warnings(torch.initial_seed(), {"seed": 5, "settings": {"rng": {"seed": 6}}}) == []


def test_the_scheduler_is_built_from_the_one_that_is_there(pipeline: Any) -> None:
    kept = pipeline.scheduler.config.beta_end
    given_after(pipeline, {"settings": {"scheduler": {"class": "CogVideoXDPMScheduler", "snr_shift_scale": 2.0}}}, "a")
    assert type(pipeline.scheduler).__name__ == "CogVideoXDPMScheduler"
    assert (pipeline.scheduler.config.snr_shift_scale, pipeline.scheduler.config.beta_end) == (2.0, kept)
    assert "no such entry" in refused(pipeline, {"scheduler": {"shift": 3.0}}, "a")
    assert "has no scheduler NoScheduler" in refused(pipeline, {"scheduler": {"class": "NoScheduler"}}, "a")


def test_the_vae_and_torch_are_switched(pipeline: Any) -> None:
    threads = torch.get_num_threads()
    wanted = {"vae": {"tiling": True, "tile_sample_min_height": 8}, "numerics": {"tf32": True, "threads": threads}}
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        given_after(pipeline, {"settings": wanted}, "a")
        assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (True, True)
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
    assert (pipeline.vae.use_tiling, pipeline.vae.tile_sample_min_height) == (True, 8)
    assert "has no tile_nothing" in refused(pipeline, {"vae": {"tile_nothing": 8}}, "a")
    pipeline.vae.disable_tiling()
    assert "without tiling" in refused(pipeline, {"vae": {"tile_sample_min_height": 8}}, "a")


def test_an_adapter_that_is_not_there_is_refused(pipeline: Any) -> None:
    said = refused(pipeline, {"lora": {"style": {"scale": 0.5}}}, "a")
    assert said == "lora.style.scale: the script has no adapter style"


def test_the_call_is_chosen_by_its_number_or_by_its_frames(pipeline: Any) -> None:
    latents = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {"output_type": "latent"})
    frames = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {})
    assert [Overriding({}).chooses(1, call) for call in (latents, frames)] == [False, True]
    assert [Overriding({"call": 2}).chooses(number, frames) for number in (1, 2)] == [False, True]


def test_what_was_put_in_and_drawn_is_taken_back(pipeline: Any) -> None:
    mine = torch.Generator().manual_seed(7)
    call = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {"generator": mine})
    before = in_force(call)
    state = State(call)
    wanted = {
        "scheduler": {"class": "CogVideoXDPMScheduler"},
        "vae": {"tiling": True},
        "numerics": {"tf32": True, "attention": "math", "threads": torch.get_num_threads()},
    }
    Overriding({"settings": wanted}).put_in(call, unnoted)
    torch.randn(3, generator=mine)
    drawn = torch.rand(1)
    pipeline.scheduler.set_timesteps(3)
    pipeline.vae.added = 1
    assert in_force(call) != before
    for _ in range(2):
        state.restore()
        assert in_force(call) == before
        assert torch.equal(torch.rand(1), drawn), "torch's own generator too"
        assert torch.backends.cuda.flash_sdp_enabled()
    assert not hasattr(pipeline.vae, "added")


def test_what_a_module_has_made_for_a_size_is_taken_back_with_the_size(pipeline: Any) -> None:
    vae, before = pipeline.vae, {name: torch.zeros(2) for name in ("kept", "buffer")}
    vae.size, vae.kept = 2, before["kept"]
    vae.register_buffer("buffer", before["buffer"], persistent=False)
    state = State(PipelineCall(type(pipeline).__call__, pipeline, ("a",), {}))
    vae.size, vae.kept, vae.buffer = 3, torch.ones(3), torch.ones(3)
    state.restore()
    assert (vae.size, vae.kept, vae.buffer) == (2, before["kept"], before["buffer"])


def test_the_switches_of_torch_are_taken_back_as_they_were(pipeline: Any) -> None:
    matmul = torch.backends.cuda.matmul
    before = torch.get_float32_matmul_precision()
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.set_float32_matmul_precision("medium")
    try:
        state = State(PipelineCall(type(pipeline).__call__, pipeline, ("a",), {}))
        torch.use_deterministic_algorithms(mode=False)
        matmul.allow_tf32 = False
        state.restore()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert (torch.get_float32_matmul_precision(), matmul.allow_tf32) == ("medium", True)
    finally:
        torch.use_deterministic_algorithms(mode=False)
        torch.set_float32_matmul_precision(before)


def test_native_attention_is_what_it_leaves_to_torch(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {})
    without = State(call)
    for processor in pipeline.transformer.attn_processors.values():
        processor._attention_backend = "native"
    assert in_force(call)["numerics"]["attention"] == "native"
    Overriding({"settings": {"numerics": {"attention": "math"}}}).put_in(call, unnoted)
    assert in_force(call)["numerics"]["attention"] == "math"
    without.restore()
    monkeypatch.setenv("DIFFUSERS_ATTN_BACKEND", "native")
    assert in_force(call)["numerics"]["attention"] == "native of DIFFUSERS_ATTN_BACKEND"
    Overriding({"settings": {"numerics": {"attention": "math"}}}).put_in(call, unnoted)
    assert in_force(call)["numerics"]["attention"] == "math"
    without.restore()


def test_a_size_along_time_needs_no_tiling(pipeline: Any) -> None:
    pipeline.vae.tile_sample_min_num_frames = 8
    given_after(pipeline, {"settings": {"vae": {"tile_sample_min_num_frames": 4}}}, "a")
    assert pipeline.vae.tile_sample_min_num_frames == 4


def test_only_denoisers_are_run_uncompiled(pipeline: Any) -> None:
    pipeline.transformer.forward = torch.compile(pipeline.transformer.forward, backend="eager")
    call = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {})
    assert in_force(call)["numerics"]["compile"] is True
    given_after(pipeline, {"settings": {"numerics": {"compile": False}}}, "a")
    assert in_force(call)["numerics"]["compile"] is False
    pipeline.vae.encode = torch.compiler.disable(pipeline.vae.encode)
    assert in_force(call)["numerics"]["compile"] is False
    pipeline.vae.decode = torch.compile(pipeline.vae.decode, backend="eager")
    said = refused(pipeline, {"numerics": {"compile": False}}, "a")
    assert said == "numerics.compile: the script has compiled vae, and only denoisers can be run uncompiled"


def test_a_scheduler_that_cannot_be_imported_hides_no_other(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers

    original = type(diffusers).__getattr__

    def broken(module: Any, name: str) -> Any:
        if name == "EDMEulerScheduler":
            raise RuntimeError("Failed to import a package")
        return original(module, name)

    monkeypatch.delitem(vars(diffusers), "EDMEulerScheduler", raising=False)
    monkeypatch.setattr(type(diffusers), "__getattr__", broken)
    call = PipelineCall(type(pipeline).__call__, pipeline, ("a",), {})
    names = ["EDMEulerScheduler", "DDIMScheduler"]
    entries = offered_by(call, {}, unnoted, names)["scheduler"]["entries"]
    assert sorted(entries) == ["CogVideoXDDIMScheduler", "DDIMScheduler"]


def in_force(call: PipelineCall) -> dict[str, Any]:
    return dict(settings_of(call.pipeline, call.given, Writer(Path()))["settings"])

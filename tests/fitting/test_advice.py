from __future__ import annotations

import itertools

import pytest

from spacediff.fitting.advice import Remedy, changed_by, memory_advice, remedies
from spacediff.settings import Origin, Settings

PATHS = ("placement", "vae.tiling", "call.num_frames")


def settings(**tables: object) -> Settings:
    return Settings.of({"model": {"id": "m"}, "placement": "cuda", **tables}, Origin.DECLARED)


def test_a_resident_pipeline_is_advised_to_offload_and_to_tile() -> None:
    advice = memory_advice(settings(), ())
    assert advice == (
        'try placement = "model_cpu_offload" and vae.tiling = true, then fewer frames, '
        "in [baseline] so that every run has it"
    )


@pytest.mark.parametrize("tested", [c for n in range(4) for c in itertools.combinations(PATHS, n)])
@pytest.mark.parametrize("host", [False, True])
def test_a_run_is_never_advised_to_change_what_it_tests(tested: tuple[str, ...], host: bool) -> None:  # noqa: FBT001
    advice = memory_advice(settings(vae={"tiling": False}), tested, host=host)
    assert ("vae.tiling = true" in advice) is ("vae.tiling" not in tested)
    assert ("offload" in advice) is ("placement" not in tested and not host)
    assert ("fewer frames" in advice) is ("call.num_frames" not in tested)


def test_a_run_that_tests_all_of_it_needs_more_memory() -> None:
    assert memory_advice(settings(), PATHS).endswith("it needs more memory")


def test_a_pipeline_that_is_offloaded_already_is_offloaded_further() -> None:
    ladder, tiled = ["cuda"], settings(vae={"tiling": True})
    while found := remedies(tiled, ()):
        tiled = changed_by(tiled, found)
        ladder.append(tiled.value("placement"))
    assert ladder == ["cuda", "model_cpu_offload", "group_offload"]
    assert remedies(settings(), (), host=True) == (Remedy("vae.tiling", value=True),)

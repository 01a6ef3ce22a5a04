"""Lists of settings become the tuples that a pipeline's call asks for."""

from __future__ import annotations

from typing import Any, Optional, Union

import pytest

from spacediff.sources.local.annotated import as_annotated
from spacediff.torchvision_shim import shim_torchvision


def call(
    *,
    size: tuple[int, int] | None = None,
    old: Optional[tuple[int, int]] = None,  # noqa: UP045 - as diffusers up to 0.35 writes it
    either: Union[list[int], tuple[int, ...]] = (),  # noqa: UP007 - the same
    prompts: str | list[str] = "",
    nested: list[tuple[int, int]] | None = None,
    corner: tuple[int, int] = (0, 0),
    free: None = None,
) -> None: ...


for name in ("corner", "free"):  # some pipelines have no annotations
    del call.__annotations__[name]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("size", (1, 2)),
        ("old", (1, 2)),
        ("either", [1, 2]),
        ("prompts", [1, 2]),
        ("corner", (1, 2)),
        ("free", [1, 2]),
        ("unknown", [1, 2]),
    ],
)
def test_a_list_becomes_a_tuple_where_only_a_tuple_is_taken(name: str, wanted: Any) -> None:
    assert as_annotated(call, {name: [1, 2]}) == {name: wanted}


def test_tuples_in_a_list_and_other_values() -> None:
    assert as_annotated(call, {"nested": [[1, 2], [3, 4]]}) == {"nested": [(1, 2), (3, 4)]}
    assert as_annotated(call, {"size": None, "prompts": "text"}) == {"size": None, "prompts": "text"}


@pytest.mark.slow  # imports much of transformers
def test_the_sizes_of_sdxl_are_tuples() -> None:
    shim_torchvision()
    import diffusers

    asked = {"original_size": [32, 32], "crops_coords_top_left": [0, 0], "prompt_2": ["a", "b"], "timesteps": [9, 1]}
    given = as_annotated(diffusers.StableDiffusionXLPipeline.__call__, asked)
    assert given == {**asked, "original_size": (32, 32), "crops_coords_top_left": (0, 0)}

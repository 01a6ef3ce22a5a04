"""The digest of decoded pictures, and the memory that it takes beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from spacediff.observer.decoding import Decoded

VIDEO = torch.rand(2, 3, 5, 8, 12)


def digest(*pieces: torch.Tensor) -> str:
    decoded = Decoded()
    for piece in pieces:
        decoded.add(piece)
    return decoded.digest


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_that_of_the_frames_in_their_order_with_dtype_shape_and_count(dtype: torch.dtype) -> None:
    video = VIDEO.to(dtype)
    frames = torch.stack([video[clip, :, time] for clip in range(2) for time in range(5)])
    expected = hashlib.sha256(frames.view(torch.uint8).numpy().tobytes())
    expected.update(f"10 {dtype} (3, 8, 12)".encode())
    assert expected.hexdigest().startswith(digest(video))


def test_it_does_not_depend_on_how_the_decoding_was_cut_but_on_the_order_of_time() -> None:
    video = VIDEO[:1]
    whole = digest(video)
    assert digest(video[:, :, :2], video[:, :, 2:]) == whole
    assert digest(video.transpose(1, 2)) == whole
    assert digest(*video[0].transpose(0, 1).split(1)) == whole
    assert digest(video.flip(2)) != whole


def test_values_that_are_no_numbers_are_counted() -> None:
    video = VIDEO.clone()
    video[0, 1, 2, 3, 4], video[1, 0, 0, 0, 0] = torch.inf, torch.nan
    decoded = Decoded()
    decoded.add(video)
    assert decoded.nonfinite == 2


class Allocations(TorchDispatchMode):
    """Remembers the largest memory that an operation has returned besides that of a tensor."""

    def __init__(self, given: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch's
        self._given = given.untyped_storage().data_ptr()
        self.largest = 0

    def __torch_dispatch__(
        self, func: Any, _: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.untyped_storage().data_ptr() != self._given:
            self.largest = max(self.largest, result.untyped_storage().nbytes())
        return result


def test_a_decoded_clip_is_never_in_memory_twice() -> None:
    with Allocations(VIDEO) as seen:
        digest(VIDEO)
    assert 0 < seen.largest <= VIDEO[0, :, 0].nbytes

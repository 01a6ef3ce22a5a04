from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from spacediff.fitting.headers import MAX_HEADER_BYTES, Stored, of_unknown_kind, read_stored, stored_of_header
from support.weight_files import safetensors


def test_the_tensors_of_a_real_file_are_counted_by_data_type(tmp_path: Path) -> None:
    weights = {
        "a": torch.zeros(10, 3),
        "b": torch.zeros(7, dtype=torch.bfloat16),
        "c": torch.zeros(5, dtype=torch.int8),
    }
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    stored = read_stored(tmp_path / "model.safetensors")
    assert stored == Stored({"F32": 120, "BF16": 14, "I8": 5}, largest=(120, "F32"))
    assert stored.loaded(2) == 60 + 14 + 5, "floats are converted, other types are not"
    assert stored.loaded(4) == 120 + 28 + 5
    assert stored.loaded(None) == 139
    assert stored.largest_loaded(2) == 60


def test_a_pickle_counts_as_its_size_and_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(b"\x80\x04cposix\nsystem\n")
    assert read_stored(path) == of_unknown_kind(path.stat().st_size)


def test_a_header_beyond_the_file_is_not_believed(tmp_path: Path) -> None:
    whole = safetensors(tmp_path / "a.safetensors", {"w": ("F16", 2**40)})
    assert read_stored(whole).loaded(2) == 2**40
    short = safetensors(tmp_path / "b.safetensors", {"w": ("F16", 1000)}, without=1)
    assert read_stored(short) == of_unknown_kind(short.stat().st_size)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        (2**63).to_bytes(8, "little") + b"{}",
        (MAX_HEADER_BYTES + 1).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (1).to_bytes(8, "little") + b"{",
        (4).to_bytes(8, "little") + b"\xff\xfe\xfd\xfc",
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
)
def test_a_hostile_file_counts_as_its_size(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert read_stored(path) == of_unknown_kind(len(content))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dtype", "data_offsets", "w"]), inner),
    max_leaves=8,
)


@given(header=_JSON, size=st.integers(0, 1000))
def test_no_header_says_more_than_the_file_has(header: object, size: int) -> None:
    try:
        stored = stored_of_header(json.loads(json.dumps(header)), size)
    except ValueError:
        return
    assert 0 <= stored.loaded(None) <= size

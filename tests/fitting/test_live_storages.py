"""The counts of these tests are worked out by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it

from spacediff.fitting.live_storages import FusedAttention, LiveStorages, TakesLongError

MIB = 2**20


def mebibyte() -> torch.Tensor:
    return torch.empty(MIB, dtype=torch.uint8, device="meta")


def counted(ignored: tuple[torch.Tensor, ...] = (), most: int = 1000) -> LiveStorages:
    return LiveStorages(ignored, most)


def test_what_is_alive_at_once_is_counted_and_what_was_freed_is_not() -> None:
    with counted() as storages:
        held = mebibyte()
        for _ in range(5):
            held = held + 1  # the old and the new one
    assert storages.peak == 2 * MIB


def test_views_share_a_storage_and_weights_do_not_count() -> None:
    weight = mebibyte()
    with counted((weight,)) as storages:
        view = weight.view(1024, 1024).t()
        held = view + 1
        more = [held[:5], held.t()]
    assert storages.peak == MIB
    assert len(more) == 2


def test_a_condition_on_values_is_answered_without_any() -> None:
    with counted():
        assert mebibyte().any()


def test_fused_attention_needs_no_matrix_of_all_pairs() -> None:
    query = torch.empty(1, 2, 1000, 8, device="meta")
    with counted((query,)) as plain:
        F.scaled_dot_product_attention(query, query, query)
    with counted((query,)) as fused, FusedAttention():
        found = F.scaled_dot_product_attention(query, query, value=query)
    assert found.shape == query.shape
    assert fused.peak == query.untyped_storage().nbytes()
    assert plain.peak > 2 * 1000 * 1000 * 4


def test_a_long_computation_is_cut_off() -> None:
    with pytest.raises(TakesLongError), counted(most=0):
        mebibyte().add(1)

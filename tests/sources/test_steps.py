"""The replacement of diffusers' progress bar takes what any pipeline gives the bar."""

from __future__ import annotations

from spacediff.sources.local.steps import steps_to
from support.listeners import RememberingListener


def test_every_step_is_reported() -> None:
    heard = RememberingListener()
    assert list(steps_to(heard)([10, 5])) == [10, 5]
    with steps_to(heard)(total=2) as bar:
        bar.set_postfix(loss=1)
        bar.update()
    assert heard.steps == [(1, 2), (2, 2), (1, 2)]


def test_a_bar_can_be_described_as_that_of_marigold_is() -> None:
    heard = RememberingListener()
    assert list(steps_to(heard)([1], leave=False, desc="Diffusion steps...")) == [1]
    assert heard.steps == [(1, 1)]

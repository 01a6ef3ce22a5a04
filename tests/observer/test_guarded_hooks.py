"""Hooks in a process that is not ours: whatever they do, the caller gets what the method gives."""

from __future__ import annotations

import pytest

from spacediff.observer.hooks import Call, add_hook, watch_calls


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def add(self, number: int) -> int:
        self.calls += 1
        if number < 0:
            raise ValueError(f"{number} is negative")
        return self.calls + number


def before(_: Call) -> object:
    raise RuntimeError("before the call")


def after(call: Call) -> object:
    call.proceed()
    raise RuntimeError("after the call")


def twice(call: Call) -> object:
    call.proceed()
    return call.proceed()


def over_its_error(call: Call) -> object:
    try:
        return call.proceed()
    except ValueError as error:
        raise RuntimeError("instead of the method's error") from error


@pytest.mark.parametrize(("hook", "noted"), [(before, 1), (after, 1), (twice, 0)])
def test_the_method_is_called_once_and_its_result_returned(hook: object, noted: int) -> None:
    counter, notes = Counter(), list[Exception]()
    add_hook(counter, "add", hook, note=notes.append)  # type: ignore[arg-type]
    assert counter.add(1) == 2
    assert counter.calls == 1
    assert len(notes) == noted


@pytest.mark.parametrize("hook", [before, after, twice, over_its_error])
def test_the_error_of_the_method_is_the_callers(hook: object) -> None:
    counter, notes = Counter(), list[Exception]()
    add_hook(counter, "add", hook, note=notes.append)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="-1 is negative"):
        counter.add(-1)
    assert counter.calls == 1


def test_a_hook_is_taken_off_again() -> None:
    counter = Counter()
    undo = add_hook(counter, "add", lambda _: 100)
    again = add_hook(counter, "add", lambda call: call.proceed() + 1)
    assert counter.add(1) == 101
    again()
    assert counter.add(1) == 100
    undo()
    assert counter.add(1) == 2
    assert vars(counter) == {"calls": 1}


def test_watching_a_module_cannot_fail_for_its_caller() -> None:
    import torch

    notes: list[Exception] = []

    def failing(*_: object) -> None:
        raise RuntimeError("while watching")

    module = torch.nn.Identity()
    end = watch_calls(module, failing, note=notes.append)
    assert module(3) == 3
    end()
    assert module(4) == 4
    assert [str(error) for error in notes] == ["while watching"]

"""Every fault of a Space ends within its deadline, needs little memory, has its code, and costs no second job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.faults import FAULTS, Fault, outcome_of
from support.faults_table import PAGE, row, space_that_fails, without_seconds
from support.faulty_space import FaultySpace

_PYTHON = re.compile(r"Error\b|Exception|\[Errno|Traceback|object has no attribute|NoneType|httpx")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySpace]:
    with space_that_fails(tmp_path_factory.mktemp("faulty")) as running:
        yield running


@pytest.mark.parametrize(
    "fault", [pytest.param(each, id=each.name, marks=() if each.quick else pytest.mark.slow) for each in FAULTS]
)
def test_a_fault_ends_as_the_table_says(fault: Fault, space: FaultySpace, tmp_path: Path) -> None:
    found = outcome_of(fault, space, tmp_path)
    assert found.code == fault.code, found.message
    assert found.seconds < fault.deadline + 5
    assert found.memory < 2**29
    assert found.jobs <= 1
    assert found.again == fault.retried
    assert not _PYTHON.search(found.message)
    assert [each.name for each in tmp_path.iterdir()] == ([] if found.code else ["hosted.mp4"])
    assert sum(_converses(each) for each in psutil.Process().children()) <= 1


def _converses(process: psutil.Process) -> bool:
    try:
        return "spacediff.sources.space.conversation" in process.cmdline()
    except psutil.Error:  # a child of another test, which has ended
        return False


def test_the_page_has_the_table_of_faults() -> None:
    table = PAGE.read_text().partition("| fault | error | seconds | asked again |\n|---|---|---|---|")[2]
    assert without_seconds(table) == without_seconds("".join(row(each, "") for each in FAULTS))

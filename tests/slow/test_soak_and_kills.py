"""Many small audits in one process, which must not grow, and audits that are killed and then continue."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from support import kills, soak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="signals and open files are those of Linux"),
]


@pytest.mark.parametrize(
    ("values", "grow"),
    [
        ([5.0] * 20, False),
        ([float(n) for n in range(20)], True),
        ([9.0, 9.0, 9.0, 9.0, *[5.0, 6.0] * 8], False),  # the first ones are left out
        ([5.0, 8.0] * 10, False),
        ([0.0] * 4 + [1.0] * 4 + [2.0] * 4 + [1.0] * 4 + [3.0] * 4, False),  # falls in between
        ([n // 4 + n % 2 * 9.0 for n in range(20)], False),  # rises by less than it varies
    ],
)
def test_what_grows_is_what_rises_from_quarter_to_quarter_by_more_than_it_varies(
    values: list[float], *, grow: bool
) -> None:
    assert soak.grows(values) is grow


@pytest.mark.parametrize("audits", range(5))
def test_a_soak_that_is_ended_early_has_a_table(audits: int) -> None:
    found = soak.Soak((soak.Sample(0, 1, 9, 250.0, 600.0, 1),) * audits, Counter(fetched=audits), (), 1.0)
    assert soak.table(found).startswith(f"{audits} audits in 1 s")
    assert found.grows == []


def test_small_audits_with_random_faults_leave_nothing_in_their_process(tmp_path: Path) -> None:
    found = soak.soak(20, tmp_path, seed=1)
    print(soak.table(found))  # noqa: T201 - the measured figures
    assert len(found.samples) == 20
    assert found.wrong == ()
    assert {"processes", "threads", "files", "temporary"} & set(found.grows) == set()
    assert len(found.outcomes) > 5, "a soak without different faults shows little"
    processes = [sample.processes for sample in found.samples]
    assert len({*processes[4:]}) == 1, f"those that serve the tests stay, and no others: {processes}"


def test_an_audit_that_is_killed_gives_the_record_of_one_that_was_not(tmp_path: Path) -> None:
    found = kills.kills(6, tmp_path, seed=1)
    print(kills.table(found))  # noqa: T201 - the measured figures
    assert sum(len(each.kills) for each in found) >= 6
    assert not kills.failed(found), kills.table(found)

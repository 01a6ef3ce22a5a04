"""What moved between two environments."""

from __future__ import annotations

from spacediff.environments.locking import Lock
from spacediff.environments.named import Moved, described, moved
from spacediff.environments.wanted import Wanted

HERE = {"diffusers": "0.42.1", "transformers": "5.23.0", "numpy": "2.4.6", "tqdm": "4.70"}
LOCK = Lock(
    {"diffusers": "0.36.0", "numpy": "2.4.6", "tqdm": "4.60", "transformers": "4.57.3", "six": "1"}, "", "2.13", ""
)


def test_packages_that_compute_are_named_first_and_equal_ones_not_at_all() -> None:
    assert moved(LOCK, HERE) == (
        Moved("diffusers", "0.36.0", "0.42.1"),
        Moved("transformers", "4.57.3", "5.23.0"),
        Moved("six", "1", ""),
        Moved("tqdm", "4.60", "4.70"),
    )


def test_the_line_of_a_run_names_what_moved_and_what_is_from_here() -> None:
    line = described(Wanted((("diffusers", "0.36.0"),), (), "diffusers 0.36.0"), LOCK, HERE)
    assert line == (
        "diffusers 0.36.0 with transformers 4.57.3 (here 5.23.0), tqdm 4.60 (here 4.70); torch 2.13 of this environment"
    )


def test_another_package_or_torch_is_another_environment() -> None:
    others = [
        Lock(LOCK.packages, "x==1", "2.13", ""),
        Lock(LOCK.packages, "", "", ""),
        Lock(LOCK.packages, "", "2.13", "3"),
    ]
    assert len({LOCK.digest, *(each.digest for each in others)}) == 4

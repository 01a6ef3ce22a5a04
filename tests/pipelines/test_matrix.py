"""Every pipeline end to end: loaded, generated, observed, offloaded, isolated, explained, reported.

The frames are those of a plain diffusers script that runs in a process without spacediff, and so without its observer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support.pipeline_audits import PLACEMENTS, Audited, audited, plain_job
from support.pipelines_table import PAGE, missing, row, rows
from support.plain_diffusers import PlainDiffusers, plain_diffusers
from support.tiny_pipelines import FAMILIES

pytestmark = pytest.mark.filterwarnings("default")  # diffusers' pipelines call what diffusers deprecates


@pytest.fixture(scope="module")
def plain() -> Iterator[PlainDiffusers]:
    with plain_diffusers() as running:
        yield running


def paths_of(done: Audited) -> set[str]:
    return {f"{table}.{name}" for table, values in done.family.planted.items() for name in values}


def resumed(done: Audited) -> list[str]:
    """Return the runs that took over the denoising of another run."""
    return [run for loop in done.record.loops for run in loop.sharing.latents]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_a_pipeline_end_to_end(name: str, plain: PlainDiffusers, tmp_path: Path) -> None:
    family = FAMILIES[name]
    if missing(family):
        pytest.skip(f"{family.pipeline} needs {family.needs}")
    done = audited(family, tmp_path)
    assert rows().get(name) == row(name, done), "run `python -m support.pipelines_table` in tests/"
    if done.run("baseline").measured:  # else the row says why not
        ensure_sound(done, plain, tmp_path)


def ensure_sound(done: Audited, plain: PlainDiffusers, folder: Path) -> None:
    family = done.family
    usual = plain.frames(**plain_job(family, folder))
    other = plain.frames(**plain_job(family, folder, planted=True))
    assert not np.array_equal(usual, other), "the planted cause must change the clip for this to prove anything"
    truncated = plain.frames(**plain_job(family, folder, truncated=True))
    for run in ("baseline", "rerun"):  # the rerun takes nothing over from an earlier run
        assert np.array_equal(done.frames(run), usual), run
    assert np.array_equal(done.frames("planted"), other)
    assert resumed(done) == ([] if family.whole else ["resumed"]), "else equal frames prove nothing of reuse"
    assert np.array_equal(done.frames("resumed"), truncated)

    for placement in PLACEMENTS:
        if done.run(placement).measured:
            assert np.array_equal(done.frames(placement), usual), placement

    cause = done.record.cause
    assert cause
    assert set(cause.cause) == paths_of(done)
    assert cause.proof
    page = (done.folder / "report.html").read_text("utf-8")
    fix = page.split('class="fix"')[1].split("</pre>")[0]
    assert all(path.rpartition(".")[2] in fix for path in paths_of(done) - {"scheduler.class"})

    alone = done.run("planted-alone")
    if alone.measured:
        assert alone.trace
        assert any(alone.trace.own_errors), "what was planted acts in a step"


def test_the_page_names_every_pipeline_that_is_always_generated_whole() -> None:
    said = next(line for line in PAGE.read_text("utf-8").split("\n- ") if line.startswith("Reuse changes no byte"))
    named = {family.pipeline for family in FAMILIES.values() if f"`{family.pipeline}`" in said}
    assert named == {family.pipeline for family in FAMILIES.values() if family.whole}


def test_the_table_has_a_row_for_every_pipeline() -> None:
    assert list(rows()) == list(FAMILIES)

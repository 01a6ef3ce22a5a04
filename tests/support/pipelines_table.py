"""The table of docs/pipelines.md, made of the audits of the tiny pipelines.

`python -m support.pipelines_table [NAME…]`, run in tests/, audits them again and writes the rows; with names, only
those rows change. A slow test fails when a row is not what its audit gives.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

from spacediff.record import RunRecord
from support.paths import ROOT
from support.pipeline_audits import PLACEMENTS, Audited, audited
from support.tiny_pipelines import FAMILIES, Family

PAGE = ROOT / "docs" / "pipelines.md"
_HEAD = "| pipeline | checkpoint of | inputs | observed | not observed | steps isolated | offload | audio |\n"
_LINE = "|---|---|---|---|---|---|---|---|\n"
_STAGES = ("text", "noise", "steps", "decoding")


def row(name: str, done: Audited) -> str:
    """Return the row of a pipeline, with the end of its line."""
    family, baseline = done.family, done.run("baseline")
    given = ", ".join((*(["prompt"] if family.text else []), *(f"`{each}`" for each in family.inputs)))
    if not baseline.measured:
        return f"| `{family.pipeline}` | {name} | {given} | not generated: {_reason(baseline)} | | | | |\n"
    seen = observed(done)
    cells = (
        f"`{family.pipeline}`",
        name,
        given,
        ", ".join(seen) or "nothing",
        ", ".join(stage for stage in _STAGES if stage not in seen and (family.text or stage != "text")) or "",
        _said(done.run("planted-alone")),
        "; ".join(_offload(done.run(placement), placement) for placement in PLACEMENTS),
        audio(done),
    )
    return f"| {' | '.join(cells)} |\n"


def observed(done: Audited) -> list[str]:
    """Return which stages of the baseline the record has."""
    trace = done.trace
    found = (any(trace.embeddings), trace.noise is not None, bool(trace.steps), bool(trace.decoded))
    return [stage for stage, there in zip(_STAGES, found, strict=True) if there]


def missing(family: Family) -> str:
    """Return the package that a pipeline needs and that is not installed here; empty if there is none."""
    return family.needs if family.needs and importlib.util.find_spec(family.needs) is None else ""


def audio(done: Audited) -> str:
    """Return what the record says of sound that the pipeline gave."""
    return "named, not compared" if done.run("baseline").audio else "none"


def _offload(run: RunRecord, placement: str) -> str:
    kind = placement.removesuffix("_offload").removesuffix("_cpu")
    return kind if run.measured else f"not {kind}: {_reason(run)}"


def _said(run: RunRecord) -> str:
    return "yes" if run.measured else f"no: {_reason(run)}"


def _reason(run: RunRecord) -> str:
    """Return the first sentence of a reason, as a cell can hold it."""
    return run.reason.split(". ")[0].replace("|", "/").replace("\n", " ")


def rows() -> dict[str, str]:
    """Return the rows of the page by checkpoint."""
    lines = PAGE.read_text("utf-8").splitlines(keepends=True)
    return {line.split(" | ")[1]: line for line in lines if line.startswith("| `")}


def write(changed: dict[str, str]) -> None:
    """Write rows into the page, in the order of the families."""
    text = PAGE.read_text("utf-8")
    before, _, after = text.partition(_HEAD)
    kept = rows() | changed
    rest = after.removeprefix(_LINE).splitlines(keepends=True)
    while rest and rest[0].startswith("| `"):
        rest.pop(0)
    table = "".join(kept[name] for name in FAMILIES if name in kept)
    PAGE.write_text(before + _HEAD + _LINE + table + "".join(rest), "utf-8")


def main(names: list[str]) -> None:
    """Audit pipelines, and write their rows."""
    for name in names or FAMILIES:
        if missing(FAMILIES[name]):
            sys.stderr.write(f"{name}: needs {FAMILIES[name].needs}\n")
            continue
        with tempfile.TemporaryDirectory() as folder:
            write({name: row(name, audited(FAMILIES[name], Path(folder)))})


if __name__ == "__main__":
    main(sys.argv[1:])

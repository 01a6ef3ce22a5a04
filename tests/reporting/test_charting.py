"""What draws the curves comes with the package, so that no report needs V8."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.record import AuditRecord
from spacediff.record.file import write_record
from spacediff.reporting.charting import LIBRARY, SPECIFICATIONS, charting
from spacediff.reporting.palette import CURVES
from support.html_page import Page
from support.paths import ROOT

ADDRESS_SPACE = 22_000_000 * 1024
"""Bytes: a usual limit on clusters, `ulimit -v 22000000`; V8 reserves more and ends the process."""
_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
{then}
"""

_REPORT = """
from spacediff.cli.commands import main
code = main()
heavy = ["altair", "av", "cv2", "diffusers", "numpy", "pandas", "torch", "vl_convert"]
print("loaded:", [name for name in heavy if name in sys.modules])
sys.exit(code)
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="not every system limits the address space")


def limited(then: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program in a process whose address space is limited."""
    program = _LIMITED.format(limit=ADDRESS_SPACE, then=then)
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, timeout=120, check=False)


@on_linux
def test_a_page_has_its_curves_where_the_address_space_is_limited(record: AuditRecord, tmp_path: Path) -> None:
    write_record(record, tmp_path)
    done = limited(_REPORT, "report", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["loaded: []"], "what a report of small clips does not need was imported"
    drawn = Page((tmp_path / "report.html").read_text("utf-8")).data("report-charting")
    assert drawn["specs"].keys() == {"frames", "linear", "logarithmic"}
    assert drawn["packed"] == charting().packed


def test_there_is_a_colour_for_each_curve() -> None:
    [colours] = [each["range"] for each in charting().specs["linear"]["scales"] if each["name"] == "stroke"]
    assert colours == [*(f"var(--curve-{n})" for n in range(CURVES)), "var(--soft)"]


@pytest.mark.slow
def test_the_files_are_what_the_tested_packages_give(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "support.chart_files", str(tmp_path)], cwd=ROOT / "tests", check=True)
    made, shipped = tmp_path, ROOT / "reports"
    how = "`python -m support.chart_files`, run in tests/, makes them again"
    assert gzip.decompress((made / LIBRARY).read_bytes()) == gzip.decompress((shipped / LIBRARY).read_bytes()), how
    assert json.loads((made / SPECIFICATIONS).read_bytes()) == json.loads((shipped / SPECIFICATIONS).read_bytes()), how


@pytest.mark.slow
@on_linux
def test_making_the_files_does_not_survive_that_limit(tmp_path: Path) -> None:
    """Otherwise the first test would show nothing."""
    done = limited("import runpy; runpy.run_module('support.chart_files', run_name='__main__')", tmp_path)
    assert done.returncode < 0, done.stderr

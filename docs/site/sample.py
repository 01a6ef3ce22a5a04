"""The report that the site shows: that of an audit of this checkout, else of two clips that an example draws."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.site.tree import ROOT, GeneratedPage

MAX_BYTES = 10_000_000
"""As a report may have: docs/report.md, "One file, 10 MB"."""

_EXAMPLE = "examples/compare_two_clips.py"
_PAGE = """# A report to try

![The first screen of the quickstart's report](report.png)

<a href="sample/report.html">Open the report</a>. It is one file, and works without a network. {about}
[The report](report.md) says how to read and use it.
"""


def sample(folder: Path, audit: Path) -> GeneratedPage:
    """Put a report into `sample/` of a folder, and return the page that leads to it.

    Args:
        folder: The built site.
        audit: An audit folder of the quickstart, whose report is taken if there is one.

    Raises:
        ValueError: The report is larger than `MAX_BYTES`.
    """
    report = folder / "sample" / "report.html"
    report.parent.mkdir(parents=True)
    if (audit / "report.html").is_file():
        shutil.copy(audit / "report.html", report)
        about = "It is that of the last `make audit`."
    else:
        _draw(report)
        about = f"It compares two files that `{_EXAMPLE}` draws; that of an audit has a scale, a cause and a fix, too."
    if report.stat().st_size > MAX_BYTES:
        raise ValueError(f"the report of {audit} has more than {MAX_BYTES} bytes")
    return GeneratedPage("sample.md", "what an audit or comparison writes", _PAGE.format(about=about), section="Begin")


def _draw(report: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, str(ROOT / _EXAMPLE)], cwd=place, check=True, stdout=subprocess.DEVNULL)
        (found,) = Path(place).glob("audits/*/report.html")
        shutil.copy(found, report)

"""Build the documentation site: `make docs`, or `python -m docs.site [--out FOLDER] [--sample AUDIT_DIR]`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from docs.site.reference import pages
from docs.site.sample import sample
from docs.site.tree import ROOT, assemble


def build(out: Path, audit: Path) -> int:
    """Build the site into a folder, which is replaced; a warning of Sphinx is an error.

    Args:
        out: The folder of the site.
        audit: The audit folder whose report is shown, if there is one.

    Returns:
        The exit code of Sphinx.
    """
    from sphinx.cmd.build import main as sphinx

    with tempfile.TemporaryDirectory() as place:
        source, built = Path(place, "source"), Path(place, "site")
        assemble(source, [sample(built, audit), *pages()])
        words = ["--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", str(Path(__file__).parent)]
        code = sphinx([*words, "--doctree-dir", str(Path(place, "kept")), str(source), str(built)])
        if not code:
            shutil.rmtree(out, ignore_errors=True)
            shutil.move(built, out)
    return code


def main() -> int:
    """Read the command line, build, and print where the site is."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description="Build the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "site", metavar="FOLDER", help="default: site/")
    parser.add_argument(
        "--sample",
        type=Path,
        default=ROOT / "audits" / "quickstart",
        metavar="AUDIT_DIR",
        help="the audit whose report is shown (default: audits/quickstart, else a comparison of two drawn clips)",
    )
    options = parser.parse_args()
    out = options.out.resolve()
    if out.is_dir() and any(out.iterdir()) and not (out / "objects.inv").is_file():
        parser.error(f"{out} holds something other than this site, which would be removed")
    began = time.monotonic()
    code = build(out, options.sample)
    if not code:
        print(f"{out / 'index.html'} ({time.monotonic() - began:.0f} s)")
    return code


if __name__ == "__main__":
    sys.exit(main())

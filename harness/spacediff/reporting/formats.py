"""The formats of a report: what each is called, and who draws it."""

from __future__ import annotations

import os
from pathlib import Path

from spacediff.errors import FileExists
from spacediff.files import write_atomically
from spacediff.record import AuditRecord, read_record
from spacediff.record.file import record_text

FILES = {
    "html": "report.html",
    "md": "issue.md",
    "json": "audit.json",
    "junit": "junit.xml",
    "zip": "report.zip",
    "summary": "summary.md",
    "issue": "bug-form.md",
}
"""Format to the name that its file has next to the report."""

_ELSEWHERE = "name another file or folder"

JOB_PAGE = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub Actions (and who follows them) names the file that becomes the job's page."""


def write_format(
    name: str, record: AuditRecord, folder: Path, path: Path, *, variant: str = "", template: str = "diffusers"
) -> list[str]:
    """Write one format of a report, whole or not at all.

    Args:
        name: One of `FILES`.
        record: What to show.
        folder: The audit folder, for clips.
        path: The file to write.
        variant: For `zip`, the run to show next to the reference; empty for the usual one.
        template: For `issue`, whose form.

    Returns:
        What had to be left out, a line each.

    Raises:
        FileExists: It would replace the audit's own record with a different one.
    """
    if name == "json" and path.resolve() == (folder / FILES[name]).resolve():
        if record != read_record(folder):
            raise FileExists(f"{path} is the audit's own record, which a report does not change", hint=_ELSEWHERE)
        return []
    if name == "zip":
        from spacediff.reporting.bundle import render_bundle

        bundle = render_bundle(record, folder, variant)
        write_atomically(path, bundle.content)
        return bundle.left_out
    write_atomically(path, render(name, record, folder, template))
    return []


def add_to_job_page(record: AuditRecord) -> str:
    """Add the summary to a CI job's page where there is one.

    Returns:
        Why it could not be added; empty where it was, or where there is no such page.
    """
    named = os.environ.get(JOB_PAGE)
    if not named:
        return ""
    from spacediff.reporting.markdown import render_summary

    try:
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(render_summary(record) + "\n")
    except OSError as error:
        return f"the summary could not be added to the job's page ({JOB_PAGE}): {error.strerror}"
    return ""


def render(name: str, record: AuditRecord, folder: Path, template: str = "diffusers") -> str:
    """Return one format of a report as text.

    Args:
        name: One of `FILES`, but not `zip`.
        record: What to show.
        folder: The audit folder, for clips.
        template: For `issue`, whose form.
    """
    from spacediff.reporting.bug_form import render_bug_form
    from spacediff.reporting.html import render_html
    from spacediff.reporting.junit import render_junit
    from spacediff.reporting.markdown import render_markdown, render_summary

    if name == "html":
        return render_html(record, folder)
    if name == "json":
        return record_text(record)
    if name == "issue":
        return render_bug_form(record, folder, template)
    return {"md": render_markdown, "junit": render_junit, "summary": render_summary}[name](record)

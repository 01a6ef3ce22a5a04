"""`Copy for issue` in a real browser: on the clipboard is the Markdown that the command writes, to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.record import AuditRecord
from spacediff.reporting.html import write_report
from spacediff.reporting.markdown import render_markdown
from support.report_pages import Opened, Reports
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.browser

PASTE = """() => {
    const into = document.body.appendChild(document.createElement("textarea"));
    into.id = "paste";
    into.focus();
}"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, str]:
    folder = tmp_path_factory.mktemp("audit")
    record = synthetic_audit(folder, frames=2, size=(32, 48))
    record = record.model_copy(update={"title": "@octocat </script><b>'\"&\\ \u2028 says"})
    return record, Path(write_report(record, folder)).as_uri()


def pasted(opened: Opened) -> str:
    """Paste into a text box as a user would, and read it back."""
    opened.page.evaluate(PASTE)
    opened.page.keyboard.press("Control+V")
    return str(opened.page.input_value("#paste"))


@pytest.mark.parametrize("clipboard", ["allowed", "missing"])
def test_the_button_copies_what_the_command_writes(
    reports: Reports,
    record: tuple[AuditRecord, str],
    clipboard: str,
) -> None:
    audit, url = record
    permissions = ["clipboard-read", "clipboard-write"] if clipboard == "allowed" else []
    opened = reports.open(url, permissions=permissions)
    if clipboard == "missing":
        opened.page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    opened.page.click("#copy-for-issue")
    opened.until("!document.querySelector('#copy-for-issue .after').hidden")
    assert pasted(opened) == render_markdown(audit)
    opened.until("!document.querySelector('#copy-for-issue .before').hidden")
    assert opened.complaints == []
    assert [request for request in opened.requests if not request.startswith(("file:", "data:", "blob:"))] == []

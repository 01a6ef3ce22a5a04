"""Writes the catalogue template of the page's words from where they are said: `make messages`."""

from __future__ import annotations

import io

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import write_po

from support.paths import ROOT

TEMPLATE = ROOT / "reports" / "messages.pot"

_SAID_IN = {
    "jinja2.ext:babel_extract": ("reports/*.html.j2", "reports/partials/*.html.j2"),
    "python": ("harness/spacediff/reporting/*.py",),
}
_OPTIONS = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
_HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'


def messages() -> Catalog:
    """Return all that templates and presenters say, each with the files that say it."""
    catalog = Catalog()
    for method, patterns in _SAID_IN.items():
        for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
            for _, message, _, context in extract_from_file(
                method, path, keywords={**DEFAULT_KEYWORDS, "deferred": None}, options=_OPTIONS
            ):
                catalog.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)], context=context)
    return catalog


def template() -> str:
    """Return the catalogue template; it changes only where a text does: it has no date and no line numbers."""
    buffer = io.BytesIO()
    write_po(buffer, messages(), width=120, sort_by_file=True, omit_header=True, include_lineno=False)
    return f"{_HEADER}\n{buffer.getvalue().decode()}"


if __name__ == "__main__":
    TEMPLATE.write_text(template(), "utf-8")

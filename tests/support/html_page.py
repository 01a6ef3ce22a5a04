"""The HTML report as a parser sees it, and small changes of the record that it is drawn from."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from spacediff.record import AuditRecord, CauseRecord, ProbeRecord, Standing, SuspectRecord, with_derived
from spacediff.reporting.html import render_html
from spacediff.reporting.view import prompt_view


class Page(HTMLParser):
    """A page as a parser sees it: tags with attributes, the texts of scripts and styles, the visible text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._inside = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - whatever ends, its raw text does
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.raw:
            self.raw[self._inside][-1] += data
        else:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def data(self, name: str) -> Any:
        ids = [attrs.get("id") for attrs in self.named("script")]
        return json.loads(self.raw["script"][ids.index(name)])


def draw(record: AuditRecord, folder: Path) -> Page:
    return Page(render_html(with_derived(record), folder))


def change_run(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    runs = [run.model_copy(update=changes) if run.name == name else run for run in record.runs]
    return record.model_copy(update={"runs": runs})


def change_comparison(record: AuditRecord, name: str, **changes: Any) -> AuditRecord:
    comparisons = [c.model_copy(update=changes) if c.candidate == name else c for c in record.comparisons]
    return record.model_copy(update={"comparisons": comparisons})


def ranks(record: AuditRecord) -> dict[str, str]:
    return {row.run.name: row.rank for row in prompt_view(with_derived(record), record.prompts[0]).rows}


def order(page: Page) -> list[str]:
    return [name for attrs in page.named("tr") if (name := attrs.get("data-pick"))]


def with_cause(record: AuditRecord, **changes: Any) -> AuditRecord:
    suspects = [
        SuspectRecord(
            path="call.use_dynamic_cfg",
            start=None,
            target=True,
            standing=Standing.CAUSE,
            left_out=0.9,
            alone=0.4,
            weight=0.7,
        ),
        SuspectRecord(path="call.<b>bold", start="<i>", target=7, standing=Standing.NO_EFFECT),
    ]
    cause = CauseRecord(
        prompt="lemon",
        start="baseline",
        target="as-hosted",
        finished=True,
        suspects=suspects,
        proof="as-hosted",
        counter_proof="dpm",
        counter_reproduced=False,
        probes=[ProbeRecord(run="probe-1", changed=["call.use_dynamic_cfg"], reproduced=True)],
    )
    return record.model_copy(update={"cause": cause.model_copy(update=changes)})

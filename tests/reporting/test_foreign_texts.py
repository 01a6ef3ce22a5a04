from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacediff.record import AuditRecord
from spacediff.reporting.presentable import presentable
from support.html_page import Page, change_run, draw
from support.synthetic_traces import with_traces

HOSTILE = (
    "</script><script>window.stolen = 1</script><img src=x onerror=alert(1)>\"'><style>*{display:none}</style>"
    "{{ 7 * 7 }}<!-- \u202etxet\u2066 \u2028 \x1b[31m \x00 \ud800 "
)
ENDLESS = "long " * 4000
OWN_WORDS = frozenset(
    (
        "source",
        "origin",
        "verdict",
        "role",
        "status",
        "digest",
        "preview",
        "stage",
        "kind",
        "control",
        "medium",
        "used_cache",
    )
)


def poisoned(data: Any) -> Any:
    """Put the hostile text behind every text of a record that is not one of our own words or paths."""
    if isinstance(data, dict):
        return {key: item if key in OWN_WORDS else poisoned(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [poisoned(item) for item in data]
    if isinstance(data, str):
        return f"{data}{HOSTILE}{ENDLESS if len(data) > 40 else ''}"  # sentences, not names
    return data


def renamed_keys(data: Any) -> Any:
    """Make the keys of free tables hostile as well."""
    for run in data["runs"]:
        run["settings"] = {f"{path}{HOSTILE}": found for path, found in run["settings"].items()}
        run["changes"] = {f"{path}{HOSTILE}": found for path, found in run["changes"].items()}
    for metric in data["metrics"]:
        metric["name"] = metric["name"].removesuffix(HOSTILE)
    environment = data["environment"]
    environment["local"] = {f"{name}{HOSTILE}": text for name, text in environment["local"].items()}
    return data


@pytest.fixture(scope="module")
def hostile(audit: tuple[AuditRecord, Path]) -> Page:
    record, folder = audit
    return draw(AuditRecord.model_validate(renamed_keys(poisoned(with_traces(record).model_dump()))), folder)


def test_hostile_texts_add_no_script_style_or_picture(hostile: Page, record: AuditRecord, folder: Path) -> None:
    tame = draw(with_traces(record), folder)
    for tag in ("script", "style", "img", "link", "iframe", "meta"):
        assert len(hostile.named(tag)) == len(tame.named(tag)), tag
    assert not [name for tag, attrs in hostile.tags for name in attrs if name.startswith("on")]
    assert HOSTILE[:60] in hostile.text  # it is there, as text


def test_hostile_texts_reach_the_script_as_data(hostile: Page) -> None:
    assert hostile.data("report-data")["prompts"][0]["name"].startswith("lemon</script><script>")
    assert "{{ 7 * 7 }}" in hostile.text
    assert "49<!--" not in hostile.text


def test_what_cannot_be_seen_is_spelt_out(hostile: Page, folder: Path, record: AuditRecord) -> None:
    for unseen in "\u202e\u2066\u2028\x1b\x00\ud800":
        assert unseen not in hostile.text
    assert "⟨U+202E⟩txet⟨U+2066⟩" in hostile.text
    kept = draw(record.model_copy(update={"title": "ﷺ नमस्ते 👩‍🔬 \u200fשלם\nsecond line"}), folder)
    assert "👩‍🔬 \u200fשלם\nsecond line" in kept.text


def test_long_texts_stay_in_a_box_that_scrolls(hostile: Page, record: AuditRecord, folder: Path) -> None:
    assert any(attrs.get("class") == "long" for attrs in hostile.named("bdi"))
    assert not any(attrs.get("class") == "long" for attrs in draw(record, folder).named("bdi"))
    assert ENDLESS.strip() in hostile.text  # nothing is cut off


def test_no_setting_can_name_a_template(record: AuditRecord, folder: Path) -> None:
    page = draw(change_run(record, "dpm", changes={"scheduler": "{% include 'report.css' %}"}), folder)
    assert "{% include 'report.css' %}" in page.text


def test_only_what_has_a_text_that_cannot_be_seen_is_copied(audit: tuple[AuditRecord, Path]) -> None:
    record, _ = audit
    assert presentable(record) == record
    changed = change_run(record, "baseline", settings={"call.\x1b": record.runs[1].settings["call.num_frames"]})
    shown = presentable(changed)
    assert [*shown.run("lemon", "baseline").settings] == ["call.⟨U+001B⟩"]
    assert all(new is old for new, old in zip(shown.runs, changed.runs, strict=True) if new.name != "baseline")
    assert presentable(shown) == shown

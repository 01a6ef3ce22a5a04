"""Presentable: what a presenter gets to see of a record.

Every text in a record is untrusted, and some prompts are private. So each presenter takes its record through here:
what a reader could not see in a text is spelt out, and clips and maps of a private prompt have no files that could be
shown.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from spacediff.metric_info import MetricInfo
from spacediff.record import AuditRecord, ClipRecord, RunRecord

_Value = TypeVar("_Value")

PRIVATE = "The prompt is private: its text and pictures are not shown; its numbers are."

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls, bidirectional overrides, invisible tags and lone surrogates: what a reader could not see is spelt out."""


def presentable(record: AuditRecord) -> AuditRecord:
    """Return a record as it may be shown; the same once more changes nothing.

    Raises:
        ValueError: The record lacks what `spacediff.record.with_derived` adds, so nothing of it would be shown.
    """
    if {prompt.name for prompt in record.prompts} - {overview.prompt for overview in record.overviews}:
        raise ValueError("the record has prompts without an overview; spacediff.record.with_derived adds them")
    record = _shown(record)
    hidden = {prompt.name for prompt in record.prompts if prompt.private}
    runs = [_without_pictures(run) if run.prompt in hidden else run for run in record.runs]
    prompts = [
        prompt.model_copy(update={"text": "", "used_text": "", "inputs": []}) if prompt.private else prompt
        for prompt in record.prompts
    ]
    comparisons = [c.model_copy(update={"map": None}) if c.prompt in hidden else c for c in record.comparisons]
    samples = [
        each.model_copy(update={"reference_strip": "", "candidate_strip": ""}) if each.prompt in hidden else each
        for each in record.samples
    ]
    shown = {"runs": runs, "prompts": prompts, "comparisons": comparisons, "samples": samples}
    return record.model_copy(update=shown)


def _shown(value: _Value) -> _Value:
    """Return a part of a record with visible texts: the same object where nothing changes, since it may be large."""
    found: Any = value
    if isinstance(value, BaseModel | MetricInfo):
        shown = {name: new for name, old in vars(value).items() if (new := _shown(old)) is not old}
        copied = replace(value, **shown) if isinstance(value, MetricInfo) else value.model_copy(update=shown)
        found = copied if shown else value
    elif isinstance(value, dict):
        named = {key: (visible(key), _shown(item)) for key, item in value.items()}
        same = all(name == key and item is value[key] for key, (name, item) in named.items())
        found = value if same else dict(named.values())
    elif isinstance(value, list | tuple):
        items = [_shown(item) for item in value]
        found = type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    elif isinstance(value, str) and (text := visible(value)) != value:
        found = text
    return cast("_Value", found)


def _without_pictures(run: RunRecord) -> RunRecord:
    if run.clip is None:
        return run
    no_files = {"lossless": "", "preview": "", "small": None, "original": None, "delivered": None}
    clip: ClipRecord = run.clip.model_copy(update=no_files)
    return run.model_copy(update={"clip": clip})


def visible(data: Any) -> Any:
    """Spell out what could not be seen in every text of a record, keys included."""
    if isinstance(data, str):
        return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", data.replace("\r\n", "\n"))
    if isinstance(data, dict):
        return {visible(key): visible(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [visible(item) for item in data]
    return data

"""A comparison of two sources as JSON, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spacediff.why.candidate_calls import ComparedCall
from spacediff.why.compared import ComparedSettings
from spacediff.why.headline import headline
from spacediff.why.patch import Advice


def comparison_json(found: ComparedSettings, advice: Advice, calls: Sequence[ComparedCall]) -> dict[str, Any]:
    """Return a comparison as JSON objects and lists.

    Args:
        found: What differs.
        advice: How to change the script.
        calls: The calls that may be the main one, each compared with the other source.
    """
    changes = {**advice.by_hand, **advice.changes}
    return {
        "decided": found.decided,
        "headline": headline(found),
        "sides": [asdict(side) for side in found.sides],
        "equal": found.equal,
        "by_default": found.by_default,
        "ignored": found.ignored,
        "differences": [
            {
                "path": row.path,
                "script": asdict(row.left),
                "space": asdict(row.right),
                "certain": not row.unread,
                "changes_the_clip": row.changes_the_clip,
                "known": asdict(row.known) if row.known else None,
                "change": changes.get(row.path, ""),
            }
            for row in found.differences
        ],
        "effects": [asdict(effect) for effect in found.effects],
        "questions": found.questions,
        "conditions": found.conditions,
        "notes": found.notes,
        "calls": [{"side": one.side, "call": asdict(one.call), "headline": headline(one.found)} for one in calls],
        "dead": advice.dead,
        "patch": advice.patch,
    }

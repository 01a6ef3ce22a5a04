"""What reading cannot show of two sources, as questions with the reason."""

from __future__ import annotations

from collections.abc import Collection

from spacediff.reading import Reading
from spacediff.settings import Origin
from spacediff.why.compared import SCRIPT, SPACE, ComparedSettings, SourceDifference
from spacediff.why.versions import differing_versions


def question(row: SourceDifference, script: Reading, space: Reading) -> str:
    """Return the question for a value that is unknown on one side, with the reason."""
    name, side, reading = (SCRIPT, row.left, script)
    if side.origin is not Origin.UNKNOWN:
        name, side, reading = (SPACE, row.right, space)
    either = [
        repr(one.setting.value) for one in reading.alternatives.get(row.path, []) if one.setting.value is not None
    ]
    known = "" if row.path in reading.by_machine or not either else f"one of {', '.join(either)}"
    answer = known or reading.unknowns.get(row.path) or _reason(row.path, reading)
    return f"what is {row.path} in {name}? {answer} ({side.where})"


def open_questions(comparison: ComparedSettings, space: Reading, changes: Collection[str]) -> list[str]:
    """Return the questions of a comparison without those about versions that a variant with these changes tests."""
    tested = {each.question for each in differing_versions(space) if each.path in changes}
    return [text for text in comparison.questions if text not in tested]


def other_questions(
    comparison: ComparedSettings, script: Reading, space: Reading, changes: Collection[str]
) -> list[str]:
    """Return the open questions that are not about unknown settings."""
    of_settings = {question(row, script, space) for row in comparison.unknown}
    return [text for text in open_questions(comparison, space, changes) if text not in of_settings]


def _reason(path: str, reading: Reading) -> str:
    """Return why a setting is not known for which the source has no expression."""
    if path == "placement":
        return "nothing was found that moves the pipeline to a device"
    if not path.startswith("output."):
        return "only running it would show"
    if not reading.exported_by:
        return "no export of the frames was found"
    return f"{reading.exported_by} writes the file, and its defaults are not known"

"""Records of older versions, turned into the current one when they are read.

One function for each step, from a version to the next; each takes the JSON of a whole record and returns another. A
record that is broken passes as it is: whoever validates it says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_Json = dict[str, Any]


def migrated(data: _Json) -> _Json:
    """Return a record's JSON in the current version; what is current or unknown stays as it is."""
    while isinstance(version := data.get("schema_version"), int) and version in _STEPS:
        data = _STEPS[version](data)
    return data


def _from_1(data: _Json) -> _Json:
    """Turn sentences into facts of the kind `text`, and rename what version 2 calls otherwise."""
    return data | {
        "schema_version": 2,
        "comparisons": _each(_comparison_1, data.get("comparisons")),
        "controls": _each(_control_1, data.get("controls")),
        "resolutions": _each(_resolution_1, data.get("resolutions")),
        "traces": _each(_trace_1, data.get("traces")),
        "semantics": _each(_semantics_1, data.get("semantics")),
        "history": _history_1(data.get("history")),
        "cause": _cause_1(data.get("cause"), data.get("comparisons")),
        "gate": _gate_1(data.get("gate")),
        "warnings": _texts(data.get("warnings", [])),
    }


def _comparison_1(old: _Json) -> _Json:
    new = _renamed(old, parting="first_divergence")
    path = old.get("path")
    return new | {
        "path": _texts([path] if path else []),
        "notes": _texts(old.get("notes", [])),
        "evidence": _texts(old.get("evidence", [])),
    }


_CONTROLS_1 = {"the reference against itself": "reference with itself", "the baseline run again": "re-run"}


def _control_1(old: _Json) -> _Json:
    name = str(old.get("name"))
    seed = re.fullmatch(r"another seed \((.*)\)", name, re.DOTALL)
    new = {key: value for key, value in old.items() if key not in {"name", "expected"}}
    control = _CONTROLS_1.get(name, "different seed")
    return new | {"control": control, "run": seed[1] if seed else "", "found": _texts([old.get("found")])}


def _resolution_1(old: _Json) -> _Json:
    return _without_sentence(old) | {"finding": _text(old.get("sentence"))}


def _trace_1(old: _Json) -> _Json:
    sentence = str(old.get("sentence"))
    steps = re.search(r"(?:of|all) (\d{1,9})\b", sentence)
    conditions = re.search(r" \((.*)\)", sentence)
    return _without_sentence(old) | {
        "steps": int(steps[1]) if steps else 0,
        "differing": _texts([conditions[1]] if conditions else []),
    }


def _semantics_1(old: _Json) -> _Json:
    def text(asked: _Json) -> _Json:
        return asked | {"clips": _each(_without_sentence, asked.get("clips"))}

    return old | {"texts": _each(text, old.get("texts")), "notes": _texts(old.get("notes", []))}


def _history_1(old: Any) -> Any:
    def fact(change: _Json) -> _Json:
        return change | {"subject": "the Space"} if change.get("subject") == "the host" else change

    return _without_sentence(old) | {"facts": _each(fact, old.get("facts"))} if isinstance(old, dict) else old


def _without_sentence(old: _Json) -> _Json:
    return {key: value for key, value in old.items() if key != "sentence"}


def _cause_1(old: Any, comparisons: Any) -> Any:
    if not isinstance(old, dict):
        return old
    new = _renamed(
        old,
        left="start",
        right="target",
        counter_reached="counter_reproduced",
        outside="residual_suspects",
        best="closest",
        best_drift="closest_drift",
    )
    sentence = str(new.pop("sentence", ""))
    interactions = [each.get("sentence") for each in old.get("interactions", []) if isinstance(each, dict)]
    verdicts = {
        (each.get("prompt"), each.get("candidate")): each.get("verdict")
        for each in comparisons or []
        if isinstance(each, dict)
    }
    return new | {
        "target_verdict": verdicts.get((old.get("prompt"), old.get("right"))),
        "started": not sentence.startswith("no cause was searched"),
        "reason": _text(old["reason"]) if old.get("reason") else None,
        "suspects": _each(_suspect_1, old.get("suspects")),
        "probes": _each(lambda probe: _renamed(probe, reached="reproduced"), old.get("probes")),
        "proofs": _each(_proof_1, old.get("proofs")),
        "interactions": _texts(interactions),
        "residual_suspects": _texts(old.get("outside", [])),
    }


def _suspect_1(old: _Json) -> _Json:
    new = _renamed(old, left="start", right="target", left_where="start_where", right_where="target_where")
    standing = "no effect" if old.get("standing") == "innocent" else old.get("standing")
    return new | {"standing": standing, "why": _text(old["why"]) if old.get("why") else None}


def _proof_1(old: _Json) -> _Json:
    new = _renamed(old, reached="reproduced", counter_reached="counter_reproduced")
    return new | {"reason": _text(old["reason"]) if old.get("reason") else None}


def _gate_1(old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    status = {"holds": "passed", "fails": "failed"}.get(str(old.get("status")), old.get("status"))
    return old | {"status": status, "reasons": _texts(old.get("reasons", []))}


def _each(step: Callable[[_Json], _Json], items: Any) -> Any:
    """Take a step with each object of a list; what is no list of objects passes as it is."""
    if not isinstance(items, list):
        return [] if items is None else items
    return [step(item) if isinstance(item, dict) else item for item in items]


def _renamed(old: _Json, **names: str) -> _Json:
    return {names.get(key, key): value for key, value in old.items()}


def _texts(sentences: Any) -> Any:
    return [_text(sentence) for sentence in sentences] if isinstance(sentences, list) else sentences


def _text(sentence: Any) -> _Json:
    return {"kind": "text", "values": {"text": sentence}}


_STEPS: Mapping[int, Callable[[_Json], _Json]] = {1: _from_1}

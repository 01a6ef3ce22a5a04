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
        "traces": _each(lambda trace: _trace_1(trace, data.get("runs")), data.get("traces")),
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


_CONTROLS_1 = {
    "the reference against itself": "reference with itself",
    "the baseline run again": "re-run",
    "another seed": "different seed",
}


def _control_1(old: _Json) -> _Json:
    """Name a control as version 2 does; a name that version 1 did not write stays, so that it is refused."""
    name = str(old.get("name"))
    seed = re.fullmatch(r"another seed \((.*)\)", name, re.DOTALL)
    new = {key: value for key, value in old.items() if key not in {"name", "expected"}}
    control = "different seed" if seed else _CONTROLS_1.get(name, name)
    return new | {"control": control, "run": seed[1] if seed else "", "found": _texts([old.get("found")])}


def _resolution_1(old: _Json) -> _Json:
    return _without_sentence(old) | {"finding": _text(old.get("sentence"))}


_TRACE_1 = re.compile(
    r"""
    (?: identical\ in\ every\ stage
      | other\ text\ embeddings\ from\ the\ start
      | other\ initial\ noise,\ so\ no\ step\ has\ a\ chance\ to\ agree
      | identical\ through\ all\ (?P<all>\d{1,9})\ steps;\ the\ VAE\ decodes\ them\ otherwise
      | identical\ up\ to\ the\ decoded\ pictures;\ they\ are\ made\ into\ a\ file\ otherwise
      | from\ the\ first\ step\ on
      | identical\ up\ to\ step\ \d{1,9}\ of\ (?P<of>\d{1,9})
    )
    (?: \ \((?P<conditions>(?:\d{1,9}\ steps\ against\ (?P<against>\d{1,9}))?.*)\)
      | ;\ then\ one\ has\ (?P<one>\d{1,9})\ steps,\ the\ other\ (?P<other>\d{1,9})
    )?
    (?: ;\ the\ latents\ part\ by\ .* )?
    """,
    re.VERBOSE | re.DOTALL,
)
"""The sentences of version 1 about a trace; what they say of distances is in the record too."""


def _trace_1(old: _Json, runs: Any) -> _Json:
    """Take the conditions and the number of steps from the sentence, else from the run; keep another sentence whole."""
    sentence = str(old.get("sentence") or "")
    parsed = _TRACE_1.fullmatch(sentence)
    found = parsed.groupdict() if parsed else {}
    differing = _texts([found["conditions"]] if found.get("conditions") else [])
    if found.get("one"):
        values = {"name": "steps", "reference": int(found["one"]), "candidate": int(found["other"])}
        differing = [{"kind": "condition-differs", "values": values}]
    if sentence and not parsed:
        differing = [_text(sentence)]
    said = next((found[name] for name in ("other", "against", "of", "all") if found.get(name)), None)
    steps = int(said) if said else _steps_of_run(runs, old.get("prompt"), old.get("candidate"))
    return _without_sentence(old) | {"steps": steps, "differing": differing}


def _steps_of_run(runs: Any, prompt: Any, name: Any) -> int:
    """Count the steps in the trace of a run; 0 where there are none."""
    for run in runs if isinstance(runs, list) else []:
        if isinstance(run, dict) and (run.get("prompt"), run.get("name")) == (prompt, name):
            trace = run.get("trace")
            steps = trace.get("steps") if isinstance(trace, dict) else None
            return len(steps) if isinstance(steps, list) else 0
    return 0


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
        "interactions": _each(_interaction_1, old.get("interactions")),
        "residual_suspects": _texts(old.get("outside", [])),
    }


def _interaction_1(old: _Json) -> _Json:
    """Turn a pair with its index into the fact; members that hide the rest have their numbers in the sentence alone."""
    if old.get("index") is None:
        return _text(old.get("sentence"))
    return {"kind": "pair-interacts", "values": {"members": old.get("members"), "index": old["index"]}}


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

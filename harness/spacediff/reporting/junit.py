"""JUnit XML of an audit, as CI systems show it: one case for each variant, each control and the gate.

The key insight: a variant that differs is a finding and no failure; what fails is the gate, or a control. What was not
measured is skipped with its reason; a gate that could not be measured and an interrupted audit are errors, so that they
are never green.

The shape is that of the Jenkins xUnit plugin (junit-10.xsd), which GitLab, Azure and the GitHub actions read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from spacediff.record import AuditRecord, ControlRecord, GateStatus, RunRecord, SamplesRecord
from spacediff.reporting.presentable import PRIVATE, presentable
from spacediff.wording import (
    approximation_texts,
    control_expectation,
    control_name,
    gate_headline,
    paragraph,
    presenting,
    samples_text,
    sentences,
)
from spacediff.wording.numbers import drift, number, written_rank

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold."""


def render_junit(record: AuditRecord) -> str:
    """Return the JUnit XML of an audit."""
    with presenting(record):
        return _document(presentable(record))


def _document(record: AuditRecord) -> str:
    root = ET.Element("testsuites", name="spacediff")
    suites = [(f"prompt {prompt.name}", list(_of_prompt(record, prompt.name))) for prompt in record.prompts]
    suites += [("scenario", [_approximation(record)])] if record.approximations else []
    suites += [("gate", [_gate(record)])] if record.gate.status is not GateStatus.NONE else []
    suites += [] if record.finished else [("audit", [_interrupted(record)])]
    for name, cases in suites:
        root.append(_suite(record, name, cases))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(record: AuditRecord, name: str, cases: list[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", name=_legal(f"{record.title or record.scenario_name}: {name}"))
    counts = {"tests": len(cases)}
    counts |= {f"{kind}s": sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error")}
    counts["skipped"] = sum(case.find("skipped") is not None for case in cases)
    for key, count in counts.items():
        suite.set(key, str(count))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    if created := _moment(record.created):
        suite.set("timestamp", created)
    suite.extend(cases)
    return suite


def _moment(text: str) -> str:
    """Return a moment as `xs:dateTime` without a zone, in UTC; empty for what is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError):
        return ""


def _of_prompt(record: AuditRecord, prompt: str) -> Iterator[ET.Element]:
    private = any(each.private for each in record.prompts if each.name == prompt)
    for name in record.overview(prompt).order:
        run = record.run(prompt, name)
        if not run.role.control:
            yield _variant(record, run, PRIVATE if private else "")
    yield from (_groups(groups) for groups in record.samples if groups.prompt == prompt)
    yield from (_control(control) for control in record.controls if control.prompt == prompt)


def _variant(record: AuditRecord, run: RunRecord, remark: str) -> ET.Element:
    case = _case(f"{run.prompt}.variants", run.name, run.seconds)
    found = next((c for c in record.comparisons if (c.prompt, c.candidate) == (run.prompt, run.name)), None)
    if not run.measured or found is None or not found.verdict.comparable:
        evidence = paragraph(found.evidence) if found else "It was not compared."
        reason = run.reason or evidence
        _outcome(case, "skipped", reason, "\n".join(filter(None, (reason, run.hint))))
        return case
    metrics = [
        f"{info.title}: {number(found.metrics[info.name].pooled, info, unit=True)}"
        for info in record.metrics
        if info.name in found.metrics
    ]
    rank = f"rank: {written_rank(found.rank)}" if found.rank else ""
    scores = [f"verdict: {found.verdict.value}", rank, f"drift: {drift(found.drift)}", *metrics]
    lines = [*scores, *sentences(found.evidence), remark]
    ET.SubElement(case, "system-out").text = _legal("\n".join(filter(None, lines)))
    return case


def _groups(groups: SamplesRecord) -> ET.Element:
    """Return the case of two groups; one without a finding is skipped, since it decides nothing."""
    case = _case(f"{groups.prompt}.groups", groups.candidate, 0.0)
    if groups.findings:
        ET.SubElement(case, "system-out").text = _legal(samples_text(groups))
    else:
        why = "these samples found no difference" if groups.measured else "the groups were not compared"
        _outcome(case, "skipped", why, samples_text(groups))
    return case


def _control(control: ControlRecord) -> ET.Element:
    case = _case(f"{control.prompt}.controls", control_name(control), 0.0)
    if not control.passed:
        _outcome(case, "failure", f"{control_expectation(control)}.", paragraph(control.found))
    return case


def _approximation(record: AuditRecord) -> ET.Element:
    """Return the skipped case of a scenario that is not the script, so that a CI page is not all green."""
    case = _case("scenario", "the scenario is the script", 0.0)
    texts = approximation_texts(record.approximations)
    _outcome(case, "skipped", f"approximate: {texts[0]}", "\n".join(texts))
    return case


def _gate(record: AuditRecord) -> ET.Element:
    gate = record.gate
    asked = [f"{gate.variant} matches the reference"] if gate.variant else []
    asked += ["nothing is worse than accepted"] if gate.against else []
    case = _case("gate", " and ".join(asked) or "something was compared", record.seconds)
    kinds = {GateStatus.FAILED: "failure", GateStatus.NOT_MEASURED: "error"}
    if gate.status in kinds:
        _outcome(case, kinds[gate.status], gate_headline(record), "\n".join(sentences(gate.reasons)))
    else:
        ET.SubElement(case, "system-out").text = _legal("\n".join(sentences(gate.reasons)))
    return case


def _interrupted(record: AuditRecord) -> ET.Element:
    """Return the case that an interrupted audit fails: the runs that it did not come to have none."""
    case = _case("audit", "the audit finished", record.seconds)
    _outcome(case, "error", "The audit was interrupted.", "Run the same command again to continue.")
    return case


def _case(classname: str, name: str, seconds: float) -> ET.Element:
    return ET.Element("testcase", classname=_legal(classname), name=_legal(name), time=f"{seconds:.3f}")


def _outcome(case: ET.Element, kind: str, message: str, text: str) -> None:
    outcome = ET.SubElement(case, kind, message=_legal(message))
    if kind != "skipped":
        outcome.set("type", kind)
    outcome.text = _legal(text)


def _legal(text: str) -> str:
    """Return a text with what XML cannot hold spelt out."""
    return _ILLEGAL.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)

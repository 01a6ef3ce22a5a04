from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacediff.record import AuditRecord, Control, ControlRecord, GateRecord, GateStatus, quoted
from spacediff.reporting.junit import render_junit
from support.fuzzing import examples
from support.hostile_audit import hostile
from support.quickstart import Finished
from support.synthetic_audit import synthetic_audit

# What junit-10.xsd of the Jenkins xUnit plugin allows: attributes, and children in order.
SHAPE: dict[str, tuple[set[str], list[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, ["testsuite"]),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"},
        ["testcase"],
    ),
    "testcase": ({"name", "time", "classname", "group"}, ["skipped", "error", "failure", "system-out"]),
    "skipped": ({"message"}, []),
    "failure": ({"type", "message"}, []),
    "error": ({"type", "message"}, []),
    "system-out": (set(), []),
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return synthetic_audit(tmp_path_factory.mktemp("audit"), frames=2, size=(32, 48))


def parsed(text: str) -> ET.Element:
    """Parse it, and hold it against the schema's shape and its own sums."""
    root = ET.fromstring(text.encode())  # noqa: S314 - our own
    for element in root.iter():
        attributes, children = SHAPE[element.tag]
        assert element.attrib.keys() <= attributes
        assert {child.tag for child in element} <= set(children)
        if element.tag in {"testcase", "testsuite", "testsuites"}:
            assert element.get("name") is not None
    for suite in root.iter("testsuite"):
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        for kind, many in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.attrib[many]) == len(suite.findall(f"testcase/{kind}"))
        assert re.fullmatch(r"\d+-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", "2025-01-01T00:00:00"))
    for many in ("tests", "failures", "errors"):
        assert int(root.attrib[many]) == sum(int(suite.attrib[many]) for suite in root)
    return root


def cases(root: ET.Element) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_each_variant_and_the_gate_is_a_case(record: AuditRecord) -> None:
    found = cases(parsed(render_junit(record)))
    assert {"baseline", "as-hosted", "dpm", "sequential", "as-hosted matches the reference"} <= found.keys()
    assert "seed-43" not in found
    assert "verdict: different sample" in (found["dpm"].findtext("system-out") or "")
    assert found["dpm"].find("failure") is None, "a variant that differs is a finding, no failure"
    skipped = found["sequential"].find("skipped")
    assert skipped is not None
    assert "needs a CUDA device" in (skipped.text or "")
    assert "on a machine with a GPU" in (skipped.text or "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(GateStatus.FAILED, "failure"), (GateStatus.NOT_MEASURED, "error"), (GateStatus.PASSED, "system-out")],
)
def test_the_gate_is_green_only_where_it_holds(record: AuditRecord, status: GateStatus, kind: str) -> None:
    gate = GateRecord(
        status=status, variant="as-hosted", against="accepted", reasons=[quoted("lemon: drift 0.3 is more")]
    )
    found = cases(parsed(render_junit(record.model_copy(update={"gate": gate}))))
    case = found["as-hosted matches the reference and nothing is worse than accepted"]
    assert [child.tag for child in case] == [kind]
    assert case[0].text == "lemon: drift 0.3 is more."


def test_a_control_that_failed_is_a_failure(record: AuditRecord) -> None:
    control = ControlRecord(prompt="lemon", control=Control.SEED, run="seed-43", found=[quoted("near")], passed=False)
    root = parsed(render_junit(record.model_copy(update={"controls": [control]})))
    failure = cases(root)["a different seed (seed-43)"].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("A different seed (seed-43) has to differ")
    assert failure.text == "near."
    assert root.get("failures") == "1"


def test_without_a_gate_there_is_no_case_for_it(record: AuditRecord) -> None:
    root = parsed(render_junit(record.model_copy(update={"gate": GateRecord(status=GateStatus.NONE)})))
    assert not [suite for suite in root if suite.attrib["name"].endswith(": gate")]


def test_an_interrupted_audit_is_an_error_also_without_a_gate(record: AuditRecord) -> None:
    stopped = record.model_copy(update={"finished": False, "gate": GateRecord(status=GateStatus.NONE)})
    root = parsed(render_junit(stopped))
    error = cases(root)["the audit finished"].find("error")
    assert error is not None
    assert error.get("message") == "The audit was interrupted."
    assert root.get("errors") == "1"
    assert parsed(render_junit(record)).get("errors") == "0"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
@given(text=st.text(max_size=20))
def test_any_text_gives_well_formed_xml(record: AuditRecord, text: str) -> None:
    root = parsed(render_junit(hostile(record, text)))
    skipped = next(case for case in root.iter("testcase") if case.find("skipped") is not None)
    assert skipped.attrib["classname"] == "lemon.variants"


def test_the_junit_of_a_real_audit(quickstart: Finished) -> None:
    root = parsed(render_junit(quickstart.record))
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert "as-hosted matches the reference" in cases(root)

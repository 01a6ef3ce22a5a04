"""Every sentence of a finding, over made-up results: it contradicts no figure, and rests on a run that shows it.

The search is the real one, in made-up worlds; the drifts are drawn at random, within what the search has seen. The
sentences are read back as a reader has them, and compared with the world and with the figures.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.made_up_worlds import STEPS, Answer, Effect, World, answered, world_of
from spacediff.explaining.conclusion import cause_record
from spacediff.explaining.interactions import interactions_of
from spacediff.explaining.probes import COUNTER_PROOF, PROOF
from spacediff.explaining.result import PromptProof, SearchResult
from spacediff.explaining.search import Subset
from spacediff.explaining.sight import Sight
from spacediff.record import (
    CauseRecord,
    ComparisonRecord,
    FactKind,
    MetricRecord,
    Role,
    RunRecord,
    Standing,
    StepRecord,
    StoppedRecord,
    SuspectRecord,
    TraceRecord,
    Verdict,
    fact,
)
from spacediff.settings import Difference, Origin, Setting
from spacediff.wording import cause_sentences, fix_code, sentence, setting_name

NAMES = ["call.guidance_scale", "scheduler.class", "numerics.attention", "vae.tiling", "model.dtype"]
STEP = StepRecord(timestep=None, guidance=None, digest="", mean=0.0, std=1.0, norm=1.0, nonfinite=0)
NUMBER = r"([<>]?\d+(?:\.\d+)?|inf)"


@dataclass(frozen=True)
class Found:
    """A finding with what it was made from."""

    answer: Answer
    world: World
    record: CauseRecord
    comparisons: Mapping[str, ComparisonRecord]
    runs: Mapping[str, Subset]
    sights: Mapping[Subset, Sight]
    observed: bool

    def drift(self, subset: Subset) -> float | None:
        return next((self.comparisons[name].drift for name, of in self.runs.items() if of == subset), None)


@st.composite
def findings(draw: st.DrawFn) -> Found:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    effects = draw(st.dictionaries(st.sampled_from(names), _effects(names), max_size=len(names)))
    world = world_of(effects, names)
    observed = draw(st.booleans())
    start = world(frozenset())
    assume(start and not start.equal)  # there would be nothing to search
    answer = answered(names, world, thorough=True, ends_early=observed)
    everything = frozenset(names)
    sights = dict(answer.laboratory.known)
    whole = {frozenset[str](), everything, answer.cause, everything - answer.cause}
    parts = [
        frozenset(some) for size in range(len(answer.cause) + 1) for some in itertools.combinations(answer.cause, size)
    ]
    if draw(st.booleans()):  # with weights
        whole |= set(parts)
    missing = draw(st.sets(st.sampled_from(sorted(map(tuple, map(sorted, sights)))), max_size=1))
    for subset in whole:
        sights[subset] = world(subset) or Sight(None, None)
    if not observed:
        sights = {subset: replace(sight, step=None, distance=None) for subset, sight in sights.items()}
    ends = {frozenset[str](): "baseline", everything: "as-hosted"}
    proofs = {answer.cause: PROOF, everything - answer.cause: COUNTER_PROOF} if answer.cause else {}
    called = {subset: ends.get(subset) or proofs.get(subset) or f"probe-{n}" for n, subset in enumerate(sights, 1)}
    for subset in (frozenset(each) for each in missing):
        if subset not in ends and subset not in proofs:
            sights[subset] = Sight(None, None)
    runs = {subset: _run(name, sights[subset], observed=observed) for subset, name in called.items()}
    comparisons = _comparisons(draw, runs, sights, everything)
    result = SearchResult(
        runs[frozenset()],
        runs[everything],
        tuple(Difference(name, Setting(1, Origin.DECLARED), Setting(2, Origin.DECLARED)) for name in names),
        started=True,
        smallest=answer.cause,
        known={subset: runs[subset] for subset in ends},
        probes={subset: run for subset, run in runs.items() if subset not in ends},
        sights=sights,
        acting=dict(answer.screening.acting),
        silent=dict(answer.screening.silent),
        proofs=(_proof(runs, sights, answer.cause, everything),) if answer.cause else (),
        reason=draw(st.sampled_from([None, None, None, fact(FactKind.BUDGET_SPENT, budget=2.0)])),
    )
    record = cause_record(result, list(comparisons.values()), list(runs.values()), {})
    return Found(answer, world, record, comparisons, {called[s]: s for s in runs}, sights, observed)


def _effects(names: list[str]) -> st.SearchStrategy[Effect]:
    beside = st.frozensets(st.sampled_from(names), max_size=2) | st.just(frozenset[str]())
    step = st.sampled_from([1, 2, 7, None])
    return st.builds(Effect, st.booleans(), step, st.sampled_from([0.001, 0.05, 0.4]), beside)


def _run(name: str, sight: Sight, *, observed: bool) -> RunRecord:
    trace = TraceRecord(steps=[STEP] * STEPS) if observed else None
    stopped = None if sight.ended else StoppedRecord(target="t", step=1, steps=STEPS, made=1)
    measured = sight.ended and sight.equal is not None
    roles = {"baseline": Role.BASELINE, PROOF: Role.VARIANT, COUNTER_PROOF: Role.VARIANT, "as-hosted": Role.VARIANT}
    role = roles.get(name, Role.PROBE if sight.ended else Role.SCREEN)
    return RunRecord(key=name, name=name, role=role, prompt="p", source="diffusers", measured=measured,
                     trace=trace, stopped=stopped)  # fmt: skip


def _proof(
    runs: Mapping[Subset, RunRecord], sights: Mapping[Subset, Sight], cause: Subset, everything: Subset
) -> PromptProof:
    counter = everything - cause
    return PromptProof("p", runs[cause], runs[counter], sights[cause], sights[counter], None)


def _comparisons(
    draw: st.DrawFn, runs: Mapping[Subset, RunRecord], sights: Mapping[Subset, Sight], everything: Subset
) -> dict[str, ComparisonRecord]:
    """Compare each whole run with the reference: what equals the target comes out as it does."""
    far = st.floats(0, 1.5) | st.sampled_from([0.0, 0.0004, 0.4, 0.4001, 0.955, 0.956])
    of_target = draw(st.just(0.0) | far)
    target = (
        Verdict.CODEC_ONLY
        if of_target == 0
        else draw(st.sampled_from([Verdict.NUMERIC_DRIFT, Verdict.SETTINGS_DIFFER]))
    )
    codec = draw(st.sampled_from([0.0, 0.02, 0.2]))
    found = {}
    for subset, run in runs.items():
        if not run.measured:
            continue
        same = sights[subset].equal or subset == everything
        drift = of_target if same else draw(far)
        verdict = target if same else Verdict.DIFFERENT_SAMPLE if drift >= 1 else Verdict.SETTINGS_DIFFER
        metric = MetricRecord(pooled=1.0, worst=1.0, worst_frame=0, drift=drift, codec_drift=codec)
        found[run.name] = ComparisonRecord(
            prompt="p", reference="reference", candidate=run.name, metrics={"mae": metric}, drift=drift, verdict=verdict
        )
    return found


def number(written: str) -> float:
    """Return what a number says, in the middle of what `<` and `>` leave open at three decimals."""
    if written.startswith("<"):
        return 0.0005
    return float(written.removeprefix(">")) + 0.0005 * written.startswith(">")


def names_of(paths: list[str]) -> set[str]:
    return {setting_name(path) for path in paths}


def said(found: Found) -> list[str]:
    """All sentences of a finding: what is found, what each standing rests on, how members act together."""
    whys = [sentence(suspect.why) for suspect in found.record.suspects if suspect.why]
    return [*cause_sentences(found.record, "the Space"), *whys, *map(sentence, found.record.interactions)]


@given(findings())
@settings(max_examples=60, deadline=None)
def test_no_sentence_contradicts_its_own_figures(found: Found) -> None:
    for each in said(found):
        for least, most in re.findall(rf"reduce the drift by (?:at most )?{NUMBER}, the whole cause by {NUMBER}", each):
            assert number(least) <= number(most) / 2 + 0.001, each
        assert not re.search(r"by (at most )?(<0\.001|0\.000)", each), each
        if closest := re.search(rf"The closest of all runs is \S+ \(drift {NUMBER}\)", each):
            (residual,) = re.findall(rf"itself does not match the Space \(drift {NUMBER}\)", " ".join(said(found)))
            assert number(closest[1]) < number(residual), each
    weights = [each.weight for each in found.record.suspects if each.path in found.record.sufficient]
    if weights and None not in weights:
        whole = (found.drift(frozenset()) or 0.0) - (found.drift(frozenset(found.record.sufficient)) or 0.0)
        assert sum(filter(None, weights)) == pytest.approx(whole, abs=1e-9)


@given(findings())
@settings(max_examples=60, deadline=None)
def test_the_cause_and_the_fix_name_what_a_run_has_shown_to_suffice_and_nothing_else(found: Found) -> None:
    record = found.record
    fix = "\n".join(fix_code(record))
    changed = {suspect.path for suspect in record.changes}
    if not record.finished or record.start_within:
        assert not fix
        return
    assert changed == set(record.sufficient), "what the proof has changed"
    shown = found.world(frozenset(changed))
    assert shown is not None
    assert shown.within, "the fix makes the difference unseen"
    assert all((path.split(".")[1] in fix) is (path in changed) for path in NAMES)
    unseen = {*record.standing(Standing.NUMERIC, Standing.UNSEEN, Standing.NO_EFFECT)}
    assert not changed & unseen
    first = cause_sentences(record, "the Space")[0]
    assert all(name in first for name in names_of(record.sufficient))


@given(findings())
@settings(max_examples=60, deadline=None)
def test_every_claim_names_a_run_that_shows_it(found: Found) -> None:
    record, sights = found.record, found.sights
    cause = frozenset(record.sufficient)
    for suspect in record.suspects:
        if suspect.why is None:
            continue
        run = str(suspect.why.values.get("run", ""))
        changed = found.runs[run]
        shown = found.world(changed)
        assert shown is not None
        match suspect.why.kind:
            case FactKind.NEEDED:
                assert changed == cause - {suspect.path}
                assert sights[changed].within is False
                # what ended early rests on the rule of early stops, which a made-up world may break
                assert shown.within is False or not sights[changed].ended
            case FactKind.NO_BIT_CHANGED:
                assert suspect.path not in changed
                assert shown.equal
            case FactKind.ACTS_AT_STEP:
                assert suspect.path not in changed
                assert shown.equal is False
                assert (suspect.why.values["step"], suspect.why.values["distance"]) == (
                    sights[changed].step,
                    sights[changed].distance,
                )
            case FactKind.NOT_NEEDED:
                assert suspect.path not in changed
                assert shown.within
    for each in said(found):
        if "the output matches the Space exactly" in each:
            assert found.comparisons[record.proofs[0].proof].verdict.matches
        if "it gives the clip of as-hosted" in each:
            assert sights[cause].equal
        assert found.observed or "decoded frames only" not in each, "no steps were seen that were equal"


# ---- what chance seldom draws


def a_cause(*standings: Standing, **known: Any) -> CauseRecord:
    suspects = [
        SuspectRecord(path=path, start=1, target=2, standing=each) for path, each in zip(NAMES, standings, strict=False)
    ]
    return CauseRecord(
        prompt="p", start="baseline", target="as-hosted", suspects=suspects, **{"finished": True} | known
    )


def test_a_member_that_is_not_shown_to_be_needed_is_in_the_fix_since_the_proof_changes_it() -> None:
    cause = a_cause(Standing.CAUSE, Standing.UNDECIDED, Standing.NUMERIC)
    assert [each.path for each in cause.changes] == NAMES[:2]
    assert "guidance_scale" in "".join(fix_code(cause))
    assert "scheduler" in "".join(fix_code(cause))
    assert "attention" not in "".join(fix_code(cause))
    assert not a_cause(Standing.UNDECIDED, finished=False).changes


@pytest.mark.parametrize("closest_drift", [0.3999, 0.4, 0.4004])
def test_a_run_that_reads_as_far_as_the_target_is_not_called_closer(closest_drift: float) -> None:
    cause = a_cause(
        Standing.CAUSE,
        target_verdict=Verdict.SETTINGS_DIFFER,
        residual=0.4,
        closest="other",
        closest_drift=closest_drift,
    )
    assert "closest" not in " ".join(cause_sentences(cause, "the Space"))
    closer = cause.model_copy(update={"closest_drift": 0.399})
    assert "The closest of all runs is other (drift 0.399)." in cause_sentences(closer, "the Space")


def test_what_would_be_written_as_no_reduction_is_no_interaction() -> None:
    drifts = {frozenset[str](): 1.0, frozenset("a"): 0.7, frozenset("b"): 0.7, frozenset("ab"): 0.3999}
    assert interactions_of(drifts.get, lambda _: Verdict.SETTINGS_DIFFER, ["a", "b"], 0.0) == []
    drifts[frozenset("ab")] = 0.39
    (pair,) = interactions_of(drifts.get, lambda _: Verdict.SETTINGS_DIFFER, ["a", "b"], 0.0)
    assert pair.kind is FactKind.PAIR_INTERACTS
    nothing = dict.fromkeys(drifts, 1.0) | {frozenset("ab"): 0.9996}
    assert interactions_of(nothing.get, lambda _: Verdict.DIFFERENT_SAMPLE, ["a", "b"], 0.0) == []

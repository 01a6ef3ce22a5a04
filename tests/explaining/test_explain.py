"""The search for the cause with real generations: pairs of ends with planted causes among silent differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from spacediff.explaining.conclusion import cause_record
from spacediff.explaining.explain import explain
from spacediff.explaining.probes import COUNTER_PROOF, PROOF
from spacediff.explaining.result import SearchResult
from spacediff.explaining.search import Subset
from spacediff.plan import Explanation, Plan
from spacediff.progress import SearchProgress, SilentListener
from spacediff.record import (
    CauseRecord,
    ComparisonRecord,
    FactKind,
    Role,
    RunRecord,
    Standing,
    SuspectRecord,
    Verdict,
    fact,
)
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM
from spacediff.wording import cause_sentences
from support.in_process import InProcess

PROMPT = Prompt("p", "A hand squeezes half a lemon", 42)
BASE = {
    "model": {"id": RANDOM.id, "dtype": "float32"},
    "call": {"num_inference_steps": 3, "num_frames": 5},
    "placement": "model_cpu_offload",
    "rng": {"dtype": "bfloat16"},
}
"""Noise in bfloat16, which torch drew otherwise up to 2.11; convolutions in it are slow on many processors."""
SILENT = {
    "placement": "cpu",
    "scheduler.timestep_spacing": "trailing",
    "output.fps": 16,
    "output.quality": 8.0,
    "vae.slicing": True,
    "load.use_dynamic_cfg": True,
    "rng.device": "global",
    "call.eta": 0.0,
    "numerics.tf32": True,
}
GUILTY = {
    "scheduler.class": "CogVideoXDPMScheduler",
    "call.use_dynamic_cfg": True,
    "call.guidance_scale": 7.0,
    "call.negative_prompt": "a foot",
    "rng.stream": "torch<=2.11",
    "rng.seed": 43,
}
IMMATERIAL = {"numerics.attention": "math", "output.rounding": "truncate"}
"""These change the numbers, and nothing that can be seen."""
PAIRS = [
    *((one,) for one in GUILTY),
    *itertools.combinations(GUILTY, 2),
    *list(itertools.combinations(GUILTY, 3))[::3],
    *list(itertools.combinations(GUILTY, 4))[::4],
]
QUICK = [*PAIRS[1:6:2], *PAIRS[6:21:7], PAIRS[21], PAIRS[-1]]
"""Some causes alone and together; the slow lane searches all."""


@pytest.fixture(scope="module")
def executor() -> Iterator[InProcess]:
    with InProcess({}, keep_latents=False) as carrying:
        yield carrying


@pytest.fixture
def alone() -> Iterator[InProcess]:
    """An executor that has made nothing yet, so that no run is shared and each costs what it costs."""
    with InProcess({}, keep_latents=False) as carrying:
        yield carrying


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all pairs: what they share is generated once."""
    return tmp_path_factory.mktemp("audit")


def dotted(values: Mapping[str, Any]) -> Settings:
    return Settings({path: setting for key, value in values.items() for path, setting in _one(key, value).items()})


def _one(path: str, value: Any) -> Settings:
    head, _, rest = path.partition(".")
    return Settings.of({head: {rest: value}} if rest else {head: value}, Origin.DECLARED, "test")


class SearchListener(SilentListener):
    """Remembers what was said of the search."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[float] = []
        self.shown: list[tuple[str, int, bool | None]] = []
        self.left = -1.0
        self.spent = 0.0
        self.ended = False

    def on_search_started(self, search: SearchProgress) -> None:
        self.expected.append(search.expected)

    def on_probe_finished(
        self, search: SearchProgress, run: RunRecord, changed: Subset, *, reproduced: bool | None
    ) -> None:
        assert search.expected >= 0
        self.left, self.spent = search.expected, search.spent
        self.shown.append((run.name, len(changed), reproduced))

    def on_search_finished(self) -> None:
        self.ended = True


class World:
    """Two ends that differ by what is planted and by what is silent, on one or more prompts."""

    def __init__(
        self,
        executor: InProcess,
        folder: Path,
        planted: Mapping[str, Any] | Sequence[str],
        *,
        budget: float = 60,
        prompts: Sequence[Prompt] = (PROMPT,),
        silent: Mapping[str, Any] = SILENT,
        variants: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        guilty = planted if isinstance(planted, Mapping) else {path: GUILTY[path] for path in planted}
        left = Settings.of(BASE, Origin.DECLARED)
        right = left.changed_by(dotted({**silent, **guilty}))
        named = {"as-hosted": right, **{name: left.changed_by(dotted(v)) for name, v in (variants or {}).items()}}
        self.runs = [
            run
            for prompt in prompts
            for run in (
                Run("baseline", Role.BASELINE, prompt, "diffusers", left),
                *(Run(name, Role.VARIANT, prompt, "diffusers", settings) for name, settings in named.items()),
            )
        ]
        self._executor, self._store, self._folder = executor, Store(folder), folder
        self.plan = Plan("", "", "", tuple(prompts), tuple(self.runs), "baseline",
                         explain=Explanation("baseline", "as-hosted", left, right, budget))  # fmt: skip
        self.heard = SearchListener()
        self.records: list[RunRecord] = []

    def carried_out(self) -> list[RunRecord]:
        self.records = list(self._executor.execute(self.runs, self._store, SilentListener()))
        assert all(record.measured for record in self.records), self.records
        return self.records

    def searched(self, generate: Callable[[Run], RunRecord] | None = None) -> SearchResult:
        records = self.records or self.carried_out()
        result = explain(self.plan, list(records), self._folder, generate or self.generate, self.heard)
        assert result
        assert self.heard.ended or not self.heard.expected or result.interrupted
        return result

    def generate(self, run: Run) -> RunRecord:
        (record,) = self._executor.execute([run], self._store, SilentListener())
        assert not record.failed, record.reason
        self.records.append(record)
        return record


HOSTED = RunRecord(key="", name="reference", role=Role.REFERENCE, prompt="p", source="space", measured=True,
                   hosted={"torch": "==2.4.0", "hardware": "zero-a10g"})  # fmt: skip
HERE = {"torch": "2.13.0+cpu", "device": "cpu"}


def compared(candidate: str, drift: float, verdict: Verdict, prompt: str = "p") -> ComparisonRecord:
    return ComparisonRecord(prompt=prompt, reference="reference", candidate=candidate, drift=drift, verdict=verdict)


def said(found: CauseRecord) -> str:
    return " ".join(cause_sentences(found, "the Space"))


def why(suspect: SuspectRecord) -> FactKind | None:
    return suspect.why.kind if suspect.why else None


def cause_of(result: SearchResult, *others: ComparisonRecord, right: Verdict = Verdict.CODEC_ONLY, drift: float = 0.0,
         runs: Sequence[RunRecord] = ()) -> CauseRecord:  # fmt: skip
    return cause_record(result, [compared("as-hosted", drift, right), *others], [HOSTED, *runs], HERE)


@pytest.mark.parametrize(
    "planted",
    [pytest.param(pair, marks=() if pair in QUICK else pytest.mark.slow, id="+".join(pair)) for pair in PAIRS],
)
def test_the_exact_cause_is_found(executor: InProcess, folder: Path, planted: tuple[str, ...]) -> None:
    result = World(executor, folder, planted).searched()
    assert result.finished, result.reason
    found = cause_of(result)
    assert set(found.cause) == set(planted)
    assert {s.path for s in found.suspects if s.standing is Standing.NO_EFFECT} == set(SILENT)
    assert all(proof.succeeded for proof in found.proofs)
    assert [probe.changed for probe in found.probes if probe.run == found.proof] == [sorted(planted)]
    assert found.counter_proof == COUNTER_PROOF
    assert found.counter_reproduced is False
    assert all(result.sights[changed].equal for changed in result.silent.values())


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(pair, marks=() if pair in QUICK[2:6:3] else pytest.mark.slow, id="+".join(pair))
        for pair in PAIRS
        if "scheduler.class" not in pair
    ],
)
def test_immaterial_settings_are_no_members_of_the_cause(
    executor: InProcess, folder: Path, planted: tuple[str, ...]
) -> None:
    immaterial = dict(list(IMMATERIAL.items())[: 1 + len(planted) % 2])
    result = World(executor, folder, planted, silent=SILENT | immaterial).searched()
    found = cause_of(result)
    assert set(found.cause) == set(planted)
    assert set(found.standing(Standing.NUMERIC)) == immaterial.keys()
    assert set(found.standing(Standing.NO_EFFECT)) == SILENT.keys() - immaterial.keys()
    acting = {suspect.path: suspect.acting for suspect in found.suspects if suspect.standing is Standing.NUMERIC}
    assert acting["numerics.attention"]
    assert acting["numerics.attention"].step == 1
    assert found.proofs[0].reproduced
    assert not found.proofs[0].equal
    assert "no difference from as-hosted can be seen (proof)" in said(found)


def test_there_are_thirty_pairs() -> None:
    assert len(PAIRS) >= 30
    assert max(len(pair) for pair in PAIRS) == 4
    assert len(SILENT) >= 8


def test_what_lies_outside_the_settings_is_never_explained_away(executor: InProcess, folder: Path) -> None:
    found = cause_of(World(executor, folder, ["rng.seed"]).searched(), right=Verdict.SETTINGS_DIFFER, drift=0.4)
    assert found.cause == ["rng.seed"]
    assert found.residual == 0.4
    assert "as-hosted itself does not match the Space (drift 0.400), which remains unexplained." in said(found)
    suspects = {each.kind: each.values for each in found.residual_suspects}
    assert suspects[FactKind.VERSION_DIFFERS] == {"library": "torch", "hosted": "==2.4.0", "here": "2.13.0+cpu"}
    assert suspects[FactKind.HARDWARE] == {"hosted": "zero-a10g", "here": "cpu"}
    assert FactKind.PROMPT_MAY_BE_REWRITTEN in suspects


def test_only_silent_differences_need_no_search(executor: InProcess, folder: Path) -> None:
    found = cause_of(World(executor, folder, []).searched())
    assert found.probes == []
    assert "give the same pixels" in said(found)


def test_a_spent_budget_tells_the_best_so_far(executor: InProcess, folder: Path) -> None:
    result = World(executor, folder, ["scheduler.class", "rng.seed"], budget=2).searched()
    found = cause_of(result)
    assert not found.finished
    assert found.cause == []
    assert "the budget of 2 generations does not pay for the next run" in said(found)
    undecided = {suspect.path for suspect in found.suspects if suspect.standing is Standing.UNDECIDED}
    assert {"scheduler.class", "rng.seed"} <= undecided


def test_an_interruption_loses_nothing(executor: InProcess, folder: Path) -> None:
    world = World(executor, folder, ["call.guidance_scale", "call.negative_prompt"])

    def interrupted(run: Run) -> RunRecord:
        if run.name == "probe-3":
            raise KeyboardInterrupt
        return world.generate(run)

    result = world.searched(interrupted)
    assert result.interrupted
    assert [run.name for run in result.generated] == ["probe-1", "probe-2"]
    found = cause_of(result)
    assert "the search was interrupted" in said(found)
    assert len(found.probes) == 2


# ---- cheap evidence


def test_what_can_hardly_have_an_effect_is_not_screened_and_shown_all_the_same(
    executor: InProcess, folder: Path
) -> None:
    world = World(executor, folder, ["call.guidance_scale"])
    result = world.searched()
    found = {suspect.path: suspect for suspect in cause_of(result).suspects}
    assert set(result.no_effect) == {"scheduler.timestep_spacing", "load.use_dynamic_cfg", "call.eta"}
    screened = [result.everything - changed for changed in result.probes if len(result.everything - changed) == 1]
    assert not any(result.no_effect.keys() & taken_back for taken_back in screened)
    assert why(found["call.eta"]) is FactKind.SAME_DEFAULT
    assert why(found["load.use_dynamic_cfg"]) is FactKind.ARGUMENT_IGNORED
    assert found["call.eta"].why
    assert [each.kind for each in found["call.eta"].why.because] == [FactKind.NO_BIT_CHANGED]
    assert found["placement"].why == fact(FactKind.NO_BIT_CHANGED, run=PROOF)
    assert found["call.guidance_scale"].why == fact(FactKind.NEEDED, run="baseline", early=False)


def test_a_default_that_the_schedulers_class_may_move_is_searched(executor: InProcess, folder: Path) -> None:
    result = World(executor, folder, ["scheduler.class"]).searched()
    assert "scheduler.timestep_spacing" not in result.no_effect
    assert result.no_effect


def test_a_record_that_lies_is_found_out_by_the_proof(executor: InProcess, folder: Path) -> None:
    """The baseline's record is made to say that it has by default the guidance that the target declares."""
    world = World(executor, folder, ["call.guidance_scale", "rng.seed"])
    for number, run in enumerate(world.carried_out()):
        if run.name == "baseline":
            lie = run.settings["call.guidance_scale"].model_copy(update={"value": 7.0, "origin": Origin.DEFAULT})
            world.records[number] = run.model_copy(update={"settings": {**run.settings, "call.guidance_scale": lie}})
    result = world.searched()
    assert "call.guidance_scale" in result.no_effect
    assert set(cause_of(result).cause) == {"call.guidance_scale", "rng.seed"}


def test_what_the_audit_generates_anyway_is_no_probe(executor: InProcess, folder: Path) -> None:
    planted = ["call.guidance_scale", "call.negative_prompt"]
    alone = {path: {path: GUILTY[path]} for path in planted}
    without = World(executor, folder, planted).searched()
    result = World(
        executor, folder, planted, variants={"first": alone[planted[0]], "second": alone[planted[1]]}
    ).searched()
    assert set(cause_of(result).cause) == set(planted)
    assert len(result.probes) < len(without.probes)
    assert result.known[frozenset(planted[:1])].name == "first"


def test_number_of_generations_is_reported_before_and_during(alone: InProcess, tmp_path: Path) -> None:
    world = World(alone, tmp_path, ["call.guidance_scale"])
    result = world.searched()
    assert 0 < world.heard.spent <= world.heard.expected[0]
    assert result.cost
    assert result.cost.generations == world.heard.spent
    assert result.cost.steps < result.cost.probes * result.cost.steps_each == 3 * result.cost.probes
    assert [name for name, *_ in world.heard.shown][-1] == COUNTER_PROOF
    assert world.heard.left == 0


def test_a_probe_that_cannot_be_generated_is_reported(alone: InProcess, tmp_path: Path) -> None:
    world = World(alone, tmp_path, ["call.guidance_scale"])

    def failing(run: Run) -> RunRecord:
        made = world.generate(run)
        return made.model_copy(update={"clip": None, "measured": False}) if run.name == COUNTER_PROOF else made

    found = cause_of(world.searched(failing))
    assert [probe.reproduced for probe in found.probes if probe.run == COUNTER_PROOF] == [None]
    assert "1 probe could not be generated and shows nothing." in said(found)
    assert not found.proofs[0].succeeded


# ---- the proof on further prompts

OTHER = Prompt("q", "A street at night", 7)
THIRD = Prompt("r", "A harbour", 8)


def test_a_cause_is_proved_on_every_prompt(executor: InProcess, folder: Path) -> None:
    world = World(executor, folder, ["call.guidance_scale"], prompts=[PROMPT, OTHER, THIRD])
    result = world.searched()
    found = cause_of(
        result,
        compared(PROOF, 0.0, Verdict.CODEC_ONLY, "q"),
        compared(COUNTER_PROOF, 0.4, Verdict.SETTINGS_DIFFER, "q"),
    )
    assert [(proof.prompt, proof.succeeded) for proof in found.proofs] == [("p", True), ("q", True), ("r", True)]
    assert (found.proofs[1].drift, found.proofs[1].counter_drift) == (0.0, 0.4)
    assert found.proofs[1].verdict is Verdict.CODEC_ONLY
    assert "This is proved on 3 of 3 prompts." in said(found)
    assert {run.prompt for run in result.generated if run.name == PROOF} == {"p", "q", "r"}


def test_where_something_else_counts_too_is_reported(executor: InProcess, folder: Path) -> None:
    """The target says the first prompt's seed, which changes nothing there, and everything on another."""
    guilty = {"call.guidance_scale": 7.0}
    world = World(executor, folder, guilty, prompts=[PROMPT, OTHER], silent={"rng.seed": PROMPT.seed, "output.fps": 16})
    found = cause_of(world.searched())
    assert found.cause == ["call.guidance_scale"]
    assert [proof.reproduced for proof in found.proofs] == [True, False]
    assert "proved on 1 of 2 prompts. On q, something else matters, too: proof differs visibly" in said(found)


def test_where_the_cause_is_not_needed_is_reported(executor: InProcess, folder: Path) -> None:
    world = World(executor, folder, {"rng.seed": OTHER.seed}, prompts=[PROMPT, OTHER])
    found = cause_of(world.searched())
    assert found.cause == ["rng.seed"]
    assert (found.proofs[1].reproduced, found.proofs[1].counter_reproduced) == (True, True)
    assert (
        "proved on 1 of 2 prompts. On q, it is not needed: counter-proof cannot be distinguished from as-hosted"
        in said(found)
    )


def test_prompts_that_the_budget_does_not_reach_are_reported(alone: InProcess, tmp_path: Path) -> None:
    one = World(alone, tmp_path, ["call.guidance_scale"])
    one.searched()
    assert 4.5 < one.heard.spent + 1 < 5.5, "enough for the proof on another prompt, and not for the counter-proof"
    world = World(alone, tmp_path, ["call.guidance_scale"], prompts=[PROMPT, OTHER], budget=5.5)
    found = cause_of(world.searched())
    assert found.finished
    assert found.proofs[1].reproduced is True
    assert found.proofs[1].counter_reproduced is None
    assert "On q, it is not proved: the budget of 5.5 generations does not pay for the next run." in said(found)


# ---- what is reachable at best


def test_the_nearest_of_all_runs_is_named(alone: InProcess, tmp_path: Path) -> None:
    world = World(alone, tmp_path, ["rng.seed"])
    result = world.searched()
    nearest = compared(COUNTER_PROOF, 0.2, Verdict.SETTINGS_DIFFER)
    found = cause_of(result, nearest, right=Verdict.SETTINGS_DIFFER, drift=0.4, runs=world.records)
    assert (found.closest, found.closest_drift, found.residual) == (COUNTER_PROOF, 0.2, 0.4)
    assert "The closest of all runs is counter-proof (drift 0.200)." in said(found)
    farther = cause_of(result, compared(COUNTER_PROOF, 0.5, Verdict.SETTINGS_DIFFER), right=Verdict.SETTINGS_DIFFER,
                   drift=0.4, runs=world.records)  # fmt: skip
    assert farther.closest == "as-hosted"
    assert "closest" not in said(farther)
    reached = cause_of(result, nearest, runs=world.records)
    assert (reached.closest, reached.residual, reached.residual_suspects) == ("", None, [])

"""What a search claims, in made-up worlds where every answer is known; with real clips, see test_explain.py.

A world is a table: for each set of changed settings whether it gives the target's clip, another, or none. The
search, the proofs and the finding are the real ones; only the pictures are made up.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.clip import Clip, write_lossless
from spacediff.explaining.budget import Budget
from spacediff.explaining.conclusion import cause_record
from spacediff.explaining.explain import explain
from spacediff.explaining.judging import Judge, Judged
from spacediff.explaining.probes import COUNTER_PROOF, PROOF, EarlyStops, Prober
from spacediff.explaining.result import INTERRUPTED, SearchResult
from spacediff.explaining.search import MOST_FOR_SHAPLEY, BudgetSpentError, Subset
from spacediff.plan import Explanation, Plan
from spacediff.progress import SearchProgress, SilentListener
from spacediff.record import (
    CauseRecord,
    ClipRecord,
    FactKind,
    Role,
    RunRecord,
    SettingRecord,
    StageRecord,
    Standing,
    StepRecord,
    StoppedRecord,
    TraceRecord,
    fact,
    quoted,
)
from spacediff.run import Prompt, Run, SourceName
from spacediff.settings import Origin, Setting, Settings, diff
from spacediff.wording import cause_sentences, spread_text

Table = Callable[[Subset], bool | None]
"""Whether settings changed to the target's give its clip; None where nothing can be generated."""

A, B, C, Z = "call.a", "call.b", "call.c", "call.z"


class StrictListener(SilentListener):
    """Checks what each call is given, and remembers how many clips were generated."""

    spent = 0.0
    ended = False

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[float] = []
        self.seconds_each = 0.0

    def on_search_finished(self) -> None:
        self.ended = True

    def on_search_started(self, search: SearchProgress) -> None:
        self.expected.append(search.expected)
        self.seconds_each = search.seconds_each
        assert search.expected >= 0

    def on_probe_finished(
        self, search: SearchProgress, run: RunRecord, changed: Subset, *, reproduced: bool | None
    ) -> None:
        assert search.expected >= 0
        self.spent = search.spent
        assert changed, "the ends are no probes"
        assert (reproduced is None) is (run.clip is None)


class World:
    """Two ends that differ in some settings, with a table that says which clip each mixture gives."""

    def __init__(
        self,
        names: Sequence[str],
        table: Table | Mapping[str, Table],
        *,
        budget: float = 100,
        variants: Collection[Subset] = (),
        lies: Collection[str] = (),
    ) -> None:
        """Plan the runs; of what is in `lies`, the baseline's record falsely says the target's value."""
        self.names, self.lies = frozenset(names), frozenset(lies)
        self.tables = table if isinstance(table, Mapping) else {"p": table}
        self.left = self._settings(self.names - self.lies, 1)
        self.right = self.left.changed_by(self._settings(self.names, 2))
        prompts = tuple(Prompt(name, "", 1) for name in self.tables)
        ends = {"baseline": frozenset[str](), "as-hosted": self.names}
        named = ends | {f"variant-{number}": subset for number, subset in enumerate(variants, 1)}
        runs = tuple(self._run(name, prompt, subset) for prompt in prompts for name, subset in named.items())
        what = Explanation("baseline", "as-hosted", self.left, self.right, budget)
        self.plan = Plan("", "", "", prompts, runs, "baseline", explain=what)
        self.budget = budget
        self.made: list[Run] = []
        self.heard = StrictListener()

    def _settings(self, names: Collection[str], value: int) -> Settings:
        return Settings({name: Setting(value, Origin.DECLARED) for name in names})

    def _run(self, name: str, prompt: Prompt, subset: Subset) -> Run:
        role = Role.BASELINE if name == "baseline" else Role.VARIANT
        return Run(name, role, prompt, "diffusers", self.left.changed_by(self._settings(subset, 2)))

    def changed(self, run: Run) -> Subset:
        return frozenset(each.path for each in diff(self.left, run.settings))

    def generate(self, run: Run) -> RunRecord:
        self.made.append(run)
        return self.record(run)

    def record(self, run: Run) -> RunRecord:
        changed = self.changed(run)
        reached = self.tables[run.prompt.name](changed)
        digest = "hosted" if reached else " ".join(sorted(changed))
        frames = 1 if reached else 2  # frames of another number are not read
        clip = ClipRecord(lossless="", preview="", digest=digest, frames=frames, width=8, height=8, fps=8)
        there = {path: SettingRecord(value=setting.value, origin=setting.origin)
                 for path, setting in run.settings.items()}  # fmt: skip
        lies = {path: SettingRecord(value=2, origin=Origin.DEFAULT) for path in self.lies}
        return RunRecord(key="", name=run.name, role=run.role, prompt=run.prompt.name, source="diffusers",
                         measured=reached is not None, reason="" if reached is not None else "out of memory",
                         settings=lies | there, clip=None if reached is None else clip)  # fmt: skip

    def searched(self, generate: Callable[[Run], RunRecord] | None = None) -> SearchResult:
        records = [self.record(run) for run in self.plan.runs]
        result = explain(self.plan, records, Path(), generate or self.generate, self.heard)
        assert result
        return result

    def concluded(self) -> CauseRecord:
        return cause_record(self.searched(), [], [], {})


def needs(*cause: str) -> Table:
    return lambda subset: {*cause} <= subset


def said(found: CauseRecord) -> str:
    return " ".join(cause_sentences(found, "the Space"))


def standings(found: CauseRecord) -> dict[str, Standing]:
    return {suspect.path: suspect.standing for suspect in found.suspects}


# ---- what was found until then


MANY = [f"call.{letter}" for letter in "abcdefghijkl"]


@pytest.mark.parametrize("guilty", [MANY[0], MANY[5], MANY[11]])
def test_where_nothing_is_observed_one_cause_among_twelve_is_halved(guilty: str) -> None:
    world = World(MANY, needs(guilty))
    found = world.concluded()
    assert found.cause == [guilty]
    assert len(found.standing(Standing.NO_EFFECT)) == 11
    assert len(world.made) <= 6, "four times by halving, its counter-proof, and one for what lies apart from it"
    assert world.heard.expected == [4 + 2 + 1]


def test_a_search_is_announced_before_its_first_run_and_not_where_it_needs_none() -> None:
    world = World([A], needs(A))
    assert world.concluded().cause == [A]
    assert (world.made, world.heard.expected, world.heard.ended) == ([], [], False)
    more = World([A, B], needs(A))
    assert more.concluded().cause == [A]
    assert more.made
    assert (len(more.heard.expected), more.heard.ended) == (1, True)


@pytest.mark.parametrize(("repeated", "each"), [(12.0, 12.0), (40.0, 40.0)])
def test_the_start_of_a_script_counts_for_a_probe_only_where_no_call_was_repeated(repeated: float, each: float) -> None:
    world = World([A, B], needs(A))
    step = StepRecord(timestep=None, guidance=None, digest="", mean=0.0, std=1.0, norm=1.0, nonfinite=0)
    trace = TraceRecord(steps=[step], stages=[StageRecord(name="denoising", seconds=12.0, peak_bytes=1)])
    of_script = {"source": "script", "trace": trace}
    seconds = {"baseline": 40.0, "as-hosted": repeated}
    records = [
        world.record(run).model_copy(update=of_script | {"seconds": seconds[run.name]}) for run in world.plan.runs
    ]
    explain(world.plan, records, Path(), world.generate, world.heard)
    assert world.heard.seconds_each == each


def test_a_search_that_ends_early_tells_the_fewest_that_a_run_has_shown_to_suffice() -> None:
    spent = World(MANY, needs(A), budget=2).concluded()
    assert not spent.finished
    assert spent.sufficient == [*MANY[:3]]
    assert "these 3 suffice so far" in said(spent)
    assert spent.proof == "probe-2"

    def interrupted(run: Run) -> RunRecord:
        if run.name == "probe-2":
            raise KeyboardInterrupt
        return world.generate(run)

    world = World(MANY, needs(A))
    assert world.searched(interrupted).sufficient == {*MANY[:6]}


def test_a_member_that_only_an_early_end_shows_to_be_needed_is_said_to_rest_on_it() -> None:
    result = World([A, B], needs(A, B)).searched()
    without = result.probes[frozenset({A})]
    stopped = StoppedRecord(target="t", step=2, steps=50, first=1, distances=[0.4, 0.9], relative=[0.3, 0.4], made=2)
    ended = without.model_copy(update={"stopped": stopped, "clip": None, "measured": False})
    found = cause_record(replace(result, probes={**result.probes, frozenset({A}): ended}), [], [], {})
    early = {suspect.path: suspect.why.values["early"] for suspect in found.suspects if suspect.why}
    assert early == {A: False, B: True}
    assert [probe.run for probe in found.probes if probe.early] == [without.name]


# ---- a run without a clip proves nothing


def test_a_member_whose_absence_gives_no_clip_is_undecided() -> None:
    found = World([A, B, C], lambda subset: A in subset if B in subset or not subset else None).concluded()
    assert found.finished
    assert standings(found) == {A: Standing.CAUSE, B: Standing.UNDECIDED, C: Standing.NO_EFFECT}
    assert (found.cause, found.sufficient) == ([A], [A, B])
    why = next(suspect.why for suspect in found.suspects if suspect.path == B)
    assert why
    assert why.kind is FactKind.NEED_UNKNOWN
    assert f"because of two settings: {A} and {B}." in said(found)
    assert (
        f"It is not shown that {B} is needed: with the whole cause changed except this setting, there is no clip"
        in said(found)
    )


def test_what_has_no_clip_tells_nothing_of_less() -> None:
    """With b but not c nothing can be generated; that must not make {a} fail unseen."""
    found = World([A, B, C], lambda subset: A in subset if B not in subset or C in subset else None).concluded()
    assert found.cause == [A]
    assert found.sufficient == [A]


def test_a_counter_proof_without_a_clip_proves_nothing() -> None:
    def table(subset: Subset) -> bool | None:
        return None if subset == {B, C} else A in subset

    found = World([A, B, C], {"p": table, "q": table}).concluded()
    assert [(proof.reproduced, proof.counter_reproduced, proof.succeeded) for proof in found.proofs] == [
        (True, None, False)
    ] * 2
    missing = fact(FactKind.RUN_NOT_MEASURED, quoted("out of memory"), run="counter-proof")
    assert all(proof.reason == missing for proof in found.proofs)
    assert found.counter_reproduced is None
    assert "This is proved on 0 of 2 prompts. On p, it is not proved: counter-proof was not measured" in said(found)
    alone = World([A, B, C], table).concluded()
    assert "It is not proved: counter-proof was not measured: out of memory." in said(alone)


# ---- before the proof, nothing is claimed that no run has shown


@pytest.mark.parametrize("budget", [0, 1, 2])
def test_what_is_taken_for_innocent_is_not_claimed_before_a_run_shows_it(budget: int) -> None:
    found = World([A, B, Z], needs(Z), budget=budget, lies=[Z]).concluded()
    assert not found.finished
    assert standings(found)[Z] is Standing.UNDECIDED
    assert Z in found.sufficient
    assert f"these {len(found.sufficient)} suffice so far" in said(found)


def test_a_record_that_lies_is_found_out_with_variants_at_hand_and_any_budget() -> None:
    variants = [frozenset({A, Z}), frozenset({B, Z})]
    found = World([A, B, Z], needs(Z), variants=variants, lies=[Z]).concluded()
    assert found.cause == [Z]
    for budget in range(8):
        cut = World([A, B, Z], needs(A, Z), variants=variants, lies=[Z], budget=budget).concluded()
        assert {A, Z} <= {*cut.sufficient}


def test_an_interruption_claims_no_more_than_was_seen() -> None:
    result = World([A, B, Z], needs(Z), lies=[Z]).searched(interrupted)
    assert result.interrupted
    assert set(cause_record(result, [], [], {}).sufficient) == {A, B, Z}


@pytest.mark.parametrize("after", range(12))
def test_an_interruption_anywhere_keeps_every_generated_run(after: int) -> None:
    world = World([A, B, C], {"p": needs(A, B), "q": needs(A, B)})

    def generate(run: Run) -> RunRecord:
        if len(world.made) == after:
            raise KeyboardInterrupt
        return world.generate(run)

    result = world.searched(generate)
    kept = [(run.prompt, run.name) for run in result.generated]
    made = [(run.prompt.name, run.name) for run in world.made]
    assert [each for each in kept if each in made] == made
    assert {name for _, name in {*kept} - {*made}} <= {PROOF, COUNTER_PROOF}, "probes that got a name of their own"
    found = cause_record(result, [], [], {})
    assert {A, B} <= {*found.sufficient}
    assert found.finished is (found.reason != INTERRUPTED)
    unproved = [proof.reason for proof in found.proofs if proof.reproduced is None or proof.counter_reproduced is None]
    assert all(reason == INTERRUPTED for reason in unproved)
    assert bool(unproved) is (found.finished and result.interrupted)


@pytest.mark.parametrize("after", range(11))
def test_an_interruption_of_any_judgement_leaves_a_result_that_can_be_concluded(
    monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    world, judge, judged = World([A, B, C], {"p": needs(A, B), "q": needs(A, B)}), Judge.__call__, itertools.count()

    def interrupting(self: Judge, run: RunRecord) -> Judged:
        if next(judged) == after:
            raise KeyboardInterrupt
        return judge(self, run)

    monkeypatch.setattr(Judge, "__call__", interrupting)
    result = world.searched()
    assert len(world.made) <= len(result.generated), "what was generated is kept"
    assert {A, B} <= {*cause_record(result, [], [], {}).sufficient}
    assert result.interrupted


def test_the_interruptions_above_hit_search_and_proofs_and_leave_one_search_whole() -> None:
    made = World([A, B, C], {"p": needs(A, B), "q": needs(A, B)}).searched().generated
    assert {run.prompt for run in made} == {"p", "q"}
    assert 4 < len(made) < 12


def interrupted(_: Run) -> RunRecord:
    raise KeyboardInterrupt


# ---- a machine that does not repeat itself


class NoisyWorld(World):
    """Each run has a white pixel where no other has one."""

    def __init__(self, folder: Path, table: Table, *, source: SourceName = "diffusers", steps: int = 0,
                 budget: float = 100, variants: Collection[Subset] = ()) -> None:  # fmt: skip
        super().__init__([A, B, C], table, budget=budget, variants=variants)
        baseline = self.plan.runs[0]
        again = replace(baseline, name="rerun", role=Role.RERUN, repeat=1)
        runs = tuple(replace(run, source=source) for run in (*self.plan.runs, again))
        self.plan = replace(self.plan, runs=runs)
        self._folder, self._steps, self._drawn = folder, steps, itertools.count()

    def record(self, run: Run) -> RunRecord:
        number, made = next(self._drawn), super().record(run)
        frames = np.full((1, 16, 48, 3), 100, np.uint8)
        frames[0, number // 16, number % 16] = 255  # any two runs differ equally
        if made.clip and made.clip.digest != "hosted":
            frames[:, :, 32:] += np.uint8(100)
        clip = Clip(frames, Fraction(8))
        write_lossless(clip, self._folder / f"{number}.mkv")
        there = ClipRecord(
            lossless=f"{number}.mkv", preview="", digest=clip.digest, frames=1, width=48, height=16, fps=8
        )
        step = StepRecord(timestep=None, guidance=None, digest=f"{number}", mean=0.0, std=1.0, norm=1.0, nonfinite=0)
        trace = TraceRecord(steps=[step] * self._steps) if self._steps else None
        return made.model_copy(update={"clip": there, "source": run.source, "trace": trace})

    def searched(self, generate: Callable[[Run], RunRecord] | None = None) -> SearchResult:
        records = [self.record(run) for run in self.plan.runs]
        result = explain(self.plan, records, self._folder, generate or self.generate, self.heard)
        assert result
        return result


@pytest.mark.parametrize("variants", [(), [frozenset({A, B})]])
@pytest.mark.parametrize(("source", "steps"), [("diffusers", 0), ("script", 0)])
def test_whole_runs_of_such_a_machine_blame_nothing_that_cannot_be_seen(
    tmp_path: Path, source: SourceName, steps: int, variants: Collection[Subset]
) -> None:
    world = NoisyWorld(tmp_path, needs(A), source=source, steps=steps, variants=variants)
    found = world.concluded()
    assert standings(found) == {A: Standing.CAUSE, B: Standing.UNSEEN, C: Standing.UNSEEN}
    assert found.spread
    assert not [run.name for run in world.made if run.name.startswith("rerun")], "nothing can be measured by them"
    assert "it is unknown how far re-runs differ" in spread_text(found.spread)


def test_runs_whose_steps_are_not_seen_are_expected_as_whole_ones(tmp_path: Path) -> None:
    world = NoisyWorld(tmp_path, needs(A), source="script")
    world.concluded()
    assert world.heard.expected[0] >= 2 + 2, "two halvings, proof and counter-proof"


def test_after_a_run_that_does_not_end_when_asked_each_is_paid_as_a_whole_one(tmp_path: Path) -> None:
    world = NoisyWorld(tmp_path, needs(A), steps=10, budget=1.5)
    assert not world.concluded().finished
    assert [run.stop is not None for run in world.made] == [True], "at most one generation more than the budget"
    again = NoisyWorld(tmp_path, needs(A), steps=10)
    again.concluded()
    assert [run.stop is not None for run in again.made][:3] == [True, False, False]


def test_reruns_make_no_more_steps_than_there_are_and_none_after_one_that_ran_whole(tmp_path: Path) -> None:
    world = NoisyWorld(tmp_path, needs(A), steps=1)
    world.concluded()
    assert [run.stop and run.stop.last for run in world.made if run.name.startswith("rerun")] == [1]


# ---- whatever the table, every claim is true


def a_world(chance: random.Random) -> World:
    """Return a world of up to five settings: a table of any shape, clips missing, variants, lies, a budget."""
    names = [f"call.{letter}" for letter in "abcde"[: chance.randint(1, 5)]]
    subsets = [frozenset(some) for size in range(len(names) + 1) for some in itertools.combinations(names, size)]
    missing = chance.choice([0.0, 0.0, 0.2])
    share = chance.choice([0.1, 0.3, 0.6])
    table: dict[Subset, bool | None] = {
        subset: None if chance.random() < missing else chance.random() < share for subset in subsets
    }
    table |= {frozenset(): False, frozenset(names): True}
    return World(
        names,
        table.__getitem__,
        budget=chance.choice([100, 100, chance.randint(0, 12)]),
        variants=chance.sample(subsets, min(chance.choice([0, 0, 3]), len(subsets))),
        lies=chance.sample(names, chance.choice([0, 1])),
    )


@pytest.mark.parametrize("block", range(8))
def test_every_claim_is_true_whatever_undoes_what(block: int) -> None:
    chance = random.Random(block)  # noqa: S311 - made-up worlds, the same each time
    for _ in range(250):
        world = a_world(chance)
        check(world, world.searched())


@pytest.mark.parametrize("most", [0, 1, 2.5, 4, 5, 100])
def test_what_is_made_at_once_shows_what_it_shows_one_by_one_for_the_same_budget(most: float) -> None:
    subsets = [frozenset(some) for size in (1, 2) for some in itertools.combinations((A, B, C), size)]
    outcomes = []
    for at_once in (False, True):
        world, sizes, reported = World([A, B, C], needs(A, B)), list[int](), list[tuple[str, Subset]]()

        def generate_all(runs: Sequence[Run], world: World = world, sizes: list[int] = sizes) -> list[RunRecord]:
            sizes.append(len(runs))
            return [world.generate(run) for run in reversed(runs)]  # whichever is finished first

        prober = Prober(
            world.plan.runs[0],
            {each.path: each for each in diff(world.left, world.right)},
            world.generate,
            Judge(world.record(world.plan.runs[1]), Path(), 0.0),
            Budget(most, 0),
            lambda run, changed, _, reported=reported: reported.append((run.name, changed)),  # type: ignore[misc]
            {frozenset({B}): world.record(world.plan.runs[0])},
            generate_all=generate_all if at_once else None,
        )
        with suppress(BudgetSpentError):
            prober.whole_each(subsets)
        assert sum(sizes) == (len(reported) if at_once else 0)
        outcomes.append(([run.name for run in prober.generated], reported, dict(prober.sights), prober.budget.spent))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[1][0]) == min(int(most), 5), "one of six was there"


def test_the_proofs_of_other_prompts_are_made_at_once_and_as_far_as_the_budget_goes() -> None:
    alone = World([A, B], needs(A))
    alone.searched()
    for budget, expected in ((100.0, 4), (alone.heard.spent + 1, 1)):
        tables = dict.fromkeys(("p", "q", "r"), needs(A))
        one, other = (World([A, B], tables, budget=budget) for _ in range(2))
        batches: list[list[tuple[str, str]]] = []

        def generate_all(runs: Sequence[Run], world: World = other, into: list[Any] = batches) -> list[RunRecord]:
            into.append([(run.prompt.name, run.name) for run in runs])
            return [world.record(run) for run in reversed(runs)]

        records = [other.record(run) for run in other.plan.runs]
        found = explain(other.plan, records, Path(), other.generate, other.heard, generate_all=generate_all)
        assert found
        assert cause_record(found, [], [], {}) == one.concluded()
        assert batches == [[(prompt, name) for prompt in "qr" for name in (PROOF, COUNTER_PROOF)][:expected]]


def check(world: World, result: SearchResult) -> None:
    table = world.tables["p"]
    found = cause_record(result, [], [], {})
    cause = frozenset(found.sufficient)
    assert table(cause), "what is said to suffice does"
    assert len({(run.prompt, run.name) for run in world.made}) == len(world.made), "no two runs of one name"
    assert world.heard.spent <= world.budget
    if not found.finished:
        assert found.cause == []
        return
    assert all(table(cause - {path}) is (False if path in found.cause else None) for path in cause)
    reached = [frozenset(probe.changed) for probe in found.probes if probe.reproduced]
    assert not any(subset < cause for subset in reached), "no smaller set was seen to suffice"
    if len(cause) <= MOST_FOR_SHAPLEY:
        parts = [frozenset(some) for size in range(len(cause)) for some in itertools.combinations(cause, size)]
        assert not any(table(part) for part in parts)
    assert found.counter_reproduced is table(world.names - cause)
    assert found.proofs[0].succeeded is (found.counter_reproduced is False)


# ---- what was tested, in words


def test_the_others_are_reported_as_they_were_tested() -> None:
    found = World([A, B, C], needs(A)).concluded()
    assert said(found) == (
        f"The baseline differs from as-hosted because of one setting: {A}. With this one changed, it gives the clip of "
        "as-hosted (proof). Two other differences make no difference."
    )


def test_a_proof_that_is_the_target_itself_says_no_clip_of_it_twice() -> None:
    found = World([A], needs(A)).concluded()
    assert found.proofs[0].proof == "as-hosted"
    assert said(found) == (
        f"The baseline differs from as-hosted because of one setting: {A}. With this one changed, the settings are "
        "those of as-hosted."
    )


def test_with_one_prompt_too_it_is_reported_that_the_cause_is_not_needed() -> None:
    found = World([A, B, C], lambda subset: A in subset or {B, C} <= subset).concluded()
    assert found.counter_reproduced is True
    assert "the other settings alone suffice, too: counter-proof also gives that clip" in said(found)
    assert "no difference" not in said(found)


# ---- a proof of what was there already


def test_to_name_what_was_there_spends_nothing() -> None:
    other = World([A, B], needs(A))
    other.searched()
    world = World([A, B], needs(A), variants=[frozenset({A}), frozenset({B})], budget=0)
    found = world.concluded()
    assert other.heard.spent > 0
    assert found.finished, found.reason
    assert (found.cause, found.proof, found.counter_proof) == ([A], PROOF, COUNTER_PROOF)


def test_what_was_not_there_spends_one() -> None:
    world = World([A, B], needs(A), variants=[frozenset({A})])
    baseline, hosted, variant = world.plan.runs
    differences = {each.path: each for each in diff(world.left, world.right)}
    target = world.record(hosted)
    judge = Judge(target, Path(), 0.0)
    there = {frozenset({A}): world.record(variant)}
    early = EarlyStops(target, (), 1.0)
    prober = Prober(baseline, differences, world.generate, judge, Budget(0, 0), lambda *_: None, there, early)
    assert prober.whole(frozenset({A}), PROOF).within
    with pytest.raises(BudgetSpentError):
        prober.whole(frozenset({B}), COUNTER_PROOF)

"""Which run goes to which worker. Here nothing runs: the schedule is driven as the pool and the simulation drive it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spacediff.distributed.schedule import Job, Schedule


def schedule(*jobs: Job, workers: int = 2, load: float = 0.0, run: float = 0.0) -> Schedule:
    found = Schedule(load=load, run=run)
    for worker in range(1, workers + 1):
        found.join(worker)
    for job in jobs:
        found.add(job)
    return found


def of(checkpoint: str, number: int, shares: str = "", *, urgent: bool = False) -> Job:
    return Job(number, checkpoint, shares or f"{checkpoint}-{number}", urgent)


def taken(found: Schedule, worker: int) -> int | None:
    job = found.take(worker)
    return None if job is None else job.number


def test_a_worker_keeps_to_its_checkpoint_and_another_one_begins_with_the_next() -> None:
    found = schedule(of("a", 1), of("b", 2), of("a", 3), of("b", 4))
    assert (taken(found, 1), taken(found, 2)) == (1, 2)
    found.done(1)
    assert taken(found, 1) == 3
    found.done(2)
    assert taken(found, 2) == 4


def test_the_checkpoint_with_the_most_runs_for_each_worker_is_loaded_next() -> None:
    found = schedule(of("a", 1), *(of("b", number) for number in range(2, 9)), workers=3)
    assert [taken(found, worker) for worker in (1, 2, 3)] == [2, 3, 4], "7 runs, then 6 for 2 workers, 5 for 3"


def test_runs_that_share_their_denoising_stay_with_one_worker() -> None:
    found = schedule(of("a", 1, "s"), of("a", 2, "s"), of("a", 3))
    assert taken(found, 1) == 1
    assert taken(found, 2) == 3, "not 2, which only decodes on worker 1"
    found.done(2)
    assert taken(found, 2) is None
    found.done(1)
    assert taken(found, 1) == 2


def test_what_is_asked_for_later_goes_where_it_shares_the_denoising() -> None:
    found = schedule(of("a", 1, "s"), of("a", 2))
    assert (taken(found, 2), taken(found, 1)) == (1, 2)
    found.done(1)
    found.done(2)
    found.add(of("a", 3, "s"))
    assert taken(found, 1) is None
    assert taken(found, 2) == 3


def test_urgent_runs_come_first() -> None:
    found = schedule(of("a", 1), of("a", 2), of("a", 3, urgent=True), of("b", 4, urgent=True))
    assert [taken(found, worker) for worker in (1, 2)] == [3, 4]
    found.done(1)
    assert taken(found, 1) == 1


def test_a_checkpoint_is_not_loaded_again_where_waiting_takes_less() -> None:
    jobs = [of("a", number) for number in range(1, 4)]
    short, long = schedule(*jobs, load=60.0, run=1.0), schedule(*jobs, load=60.0, run=100.0)
    assert (taken(short, 1), taken(short, 2)) == (1, None)
    assert (taken(long, 1), taken(long, 2)) == (1, 2)


def test_what_a_lost_worker_had_in_hand_begins_again_elsewhere_and_a_second_loss_gives_it_up() -> None:
    found = schedule(of("a", 1, "s"), of("a", 2, "s"), workers=3)
    assert taken(found, 1) == 1
    assert found.lose(1) is None
    assert taken(found, 2) == 1, "before what only shares its denoising"
    job = found.lose(2)
    assert job is not None
    assert job.number == 1
    assert taken(found, 3) == 2, "what nobody was lost with goes on"
    found.done(3)
    assert taken(found, 3) is None


def test_what_is_taken_back_does_not_begin() -> None:
    found = schedule(of("a", 1), of("a", 2, "s"), of("a", 3, "s", urgent=True))
    assert {job.number for job in found.withdraw(frozenset({2, 3, 9}))} == {2, 3}
    assert (taken(found, 1), taken(found, 2)) == (1, None)
    assert not len(found)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.booleans()), max_size=25),
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["take", "done", "lose"])), max_size=80),
)
def test_every_run_is_done_once_or_given_up_after_two_losses(
    runs: list[tuple[str, int, bool]], moves: list[tuple[int, str]]
) -> None:
    jobs = [of(each, number, f"{each}-{group}", urgent=hurry) for number, (each, group, hurry) in enumerate(runs)]
    found, in_hand = schedule(*jobs, workers=3), dict[int, int]()
    done: list[int] = []
    given_up: list[int] = []
    losses = dict.fromkeys(range(len(jobs)), 0)
    for worker, move in [*moves, *((worker, "take") for _ in range(2 * len(jobs) + 2) for worker in (1, 2, 3))]:
        if move == "take" and worker in in_hand:
            move = "done"  # noqa: PLW2901 - a worker finishes before it takes more
        if move == "take":
            job = found.take(worker)
            if job is not None:
                in_hand[worker] = job.number
        elif move == "done" and worker in in_hand:
            found.done(worker)
            done.append(in_hand.pop(worker))
        elif move == "lose":
            if worker in in_hand:
                losses[in_hand.pop(worker)] += 1
            lost = found.lose(worker)
            given_up += [] if lost is None else [lost.number]
            found.join(worker)
    done += in_hand.values()
    assert sorted(done + given_up) == list(range(len(jobs)))
    assert all(losses[number] == 2 for number in given_up)
    assert all(losses[number] < 2 for number in done)

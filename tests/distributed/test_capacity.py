"""How many workers there are room for."""

from __future__ import annotations

from spacediff.distributed.capacity import Need, Node, need_of, workers_for
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import parse_scenario
from spacediff.scenario.tables.resources import Resources
from support.scenarios import DESIGN, HERE, MINIMAL, mistakes_in

GPUS = Node(cpus=64, gpus=8, memory=512 * 10**9)
HEAD = Node(cpus=8, gpus=0, memory=32 * 10**9)
ON_CPU = f"{MINIMAL}baseline.placement = 'cpu'\n"


def test_a_worker_occupies_a_gpu_where_there_are_any_and_else_as_many_cores_as_torch_has_threads() -> None:
    runs = plan_scenario(parse_scenario(DESIGN, HERE)).runs
    assert need_of(Resources(), runs, [HEAD, GPUS], threads=32) == Need(cpus=1, gpus=1)
    assert need_of(Resources(), runs, [HEAD], threads=4) == Need(cpus=4, gpus=0)
    on_cpu = plan_scenario(parse_scenario(ON_CPU, HERE)).runs
    assert need_of(Resources(), on_cpu, [HEAD, GPUS], threads=4) == Need(cpus=4, gpus=0)
    said = Resources(gpus=0.5, cpus=6, memory="16GB")
    assert need_of(said, runs, [HEAD, GPUS], threads=4) == Need(cpus=6, gpus=0.5, memory=16 * 10**9)


def test_each_node_has_room_for_as_many_workers_as_its_scarcest_resource() -> None:
    assert Need(cpus=1, gpus=1).times_on(GPUS) == 8
    assert Need(cpus=1, gpus=1).times_on(HEAD) == 0
    assert Need(cpus=1, gpus=0.1).times_on(GPUS) == 64
    assert Need(cpus=1, gpus=1, memory=100 * 10**9).times_on(GPUS) == 5


def test_there_are_no_more_workers_than_runs() -> None:
    plan = plan_scenario(parse_scenario(DESIGN, HERE))
    generated = sum(run.source == "diffusers" for run in plan.runs)
    assert workers_for([plan], Need(1, 1), [GPUS] * 64) == generated
    assert workers_for([plan, plan], Need(1, 1), [GPUS] * 64) == 2 * generated
    assert workers_for([plan], Need(1, 1), [HEAD]) == 0


def test_an_amount_of_memory_that_is_none_is_a_mistake() -> None:
    (mistake,) = mistakes_in(f"{MINIMAL}resources.memory = '16 gigs'\n")
    assert (mistake.key, mistake.found) == ("resources.memory", "'16 gigs'")
    assert Resources(memory="1.5 GiB").memory_bytes == 3 * 2**29

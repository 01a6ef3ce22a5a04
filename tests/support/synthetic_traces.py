"""Traces for the runs of a made-up audit."""

from __future__ import annotations

from spacediff.record import (
    AuditRecord,
    Fact,
    FactKind,
    NoiseRecord,
    Role,
    RunRecord,
    Stage,
    StageRecord,
    StepRecord,
    TraceComparisonRecord,
    TraceRecord,
    fact,
    with_derived,
)

STEPS = 4


_TIMESTEPS = {"dpm": (980.0, 740.0, 500.0, 260.0)}


_GUIDANCE = {"dynamic-cfg": (1.25, 6.5, 2.5, 6.75), "as-hosted": (1.25, 6.5, 2.5, 6.75)}


_SHARED = {"on-gpu": ["text embeddings", "latents"], "dpm": ["text embeddings"]}


_TIMESTEP = fact(FactKind.CONDITION_DIFFERS, name="timestep", reference=999.0, candidate=980.0)


_FINDINGS: dict[str, tuple[Stage, int | None, list[Fact], list[float | None]]] = {
    "as-hosted": (Stage.NOISE, None, [], [1.4, 1.3, 1.2, 1.1, 1.0]),
    "cpu-noise": (Stage.TEXT, None, [], []),
    "dpm": (Stage.STEP, 1, [_TIMESTEP], [0.0, 0.3, 0.4, 0.5, 0.6]),
    "dynamic-cfg": (Stage.STEP, 3, [], [0.0, 0.0, 0.0, 0.0123, 0.25]),
    "on-gpu": (Stage.NOWHERE, None, [], [0.0] * 5),
    "seed-43": (Stage.NOISE, None, [], [1.41, 1.31, 1.21, 1.11, 1.0]),
}


OWN_ERRORS = [0.0, 0.0, 0.0123, 0.0041]


def with_traces(record: AuditRecord) -> AuditRecord:
    """Add a trace to every local run, compare the traces with the baseline's, and add isolated steps for one run."""
    runs = [run.model_copy(update={"trace": _trace(run.name)}) if _local(run) else run for run in record.runs]
    alone = [
        run.model_copy(
            update={"name": f"{run.name}-alone", "role": Role.STEPS, "fed_by": "baseline", "trace": _trace_alone()}
        )
        for run in record.runs
        if run.name == "dynamic-cfg"
    ]
    traces = [
        TraceComparisonRecord(
            prompt=prompt.name,
            reference="baseline",
            candidate=name,
            stage=stage,
            step=step,
            steps=STEPS,
            differing=differing,
            distances=distances,
        )
        for prompt in record.prompts
        for name, (stage, step, differing, distances) in _FINDINGS.items()
    ]
    return with_derived(record.model_copy(update={"runs": [*runs, *alone], "traces": traces}))


def _local(run: RunRecord) -> bool:
    return run.measured and run.source == "diffusers"


def _trace(name: str) -> TraceRecord:
    timesteps = _TIMESTEPS.get(name, (999.0, 749.0, 499.0, 249.0))
    guidance = _GUIDANCE.get(name, (6.0,) * STEPS)
    alike = name in {"baseline", "on-gpu"}
    return TraceRecord(
        embeddings=["text"],
        noise=NoiseRecord(
            digest="noise",
            mean=0.0,
            std=1.0,
            low=-3.5,
            high=3.5,
            shape=[1, 3, 16, 8, 12],
            dtype="bfloat16",
            device="cpu",
        ),
        steps=[
            _step(timestep, scale, f"{'baseline' if alike else name} {n}")
            for n, (timestep, scale) in enumerate(zip(timesteps, guidance, strict=True))
        ],
        decoded="pictures",
        stages=[
            StageRecord(name="text", seconds=0.079, peak_bytes=531 * 2**20),
            StageRecord(name="denoising", seconds=4.25, peak_bytes=21 * 2**30),
            StageRecord(name="decoding", seconds=130.0, peak_bytes=25 * 2**30),
        ],
        latents=f"runs/{name}/latents.zip",
        shared=_SHARED.get(name, []),
    )


def _trace_alone() -> TraceRecord:
    trace = _trace("baseline")
    own = _step(249.0, 6.75, "its own")
    return trace.model_copy(update={"steps": [*trace.steps[:-1], own], "own_errors": OWN_ERRORS, "latents": ""})


def _step(timestep: float, guidance: float, digest: str) -> StepRecord:
    return StepRecord(timestep=timestep, guidance=guidance, digest=digest, mean=0.0, std=1.0, norm=67.0, nonfinite=0)

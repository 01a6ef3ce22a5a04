"""Known causes: what makes the same prompt and seed give another clip, as data.

One list feeds the plan of `spacediff why`, the report's cause and docs/known-causes.md. An entry says nothing of a
given pair of runs; only measuring does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

DIFFUSERS = "huggingface.co/docs/diffusers"


@dataclass(frozen=True, slots=True)
class Cause:
    """One known cause.

    Attributes:
        name: Short name.
        paths: Patterns of the dotted paths that it goes with; none for what is no setting.
        looks: What it looks like.
        detected: How it is found.
        size: How large it tends to be: `none`, `small`, `large`, `another sample`.
        change: What to do about it.
        source: Where it is documented.
    """

    name: str
    paths: tuple[str, ...]
    looks: str
    detected: str
    size: str
    change: str
    source: str


CATALOGUE: tuple[Cause, ...] = (
    Cause(
        "seed",
        ("rng.seed",),
        "another sample of the same prompt",
        "other initial noise in the trace",
        "another sample",
        "give the same seed; a seed of -1 stands for a random one, in the public CogVideoX demo one of 256",
        "the demo's app.py: random.randint(0, 2**8 - 1)",
    ),
    Cause(
        "generator's device",
        ("rng.device",),
        "another sample of the same prompt",
        "the trace tells the device that the noise was drawn on",
        "another sample",
        "make the generator on the same device: torch.Generator(device=...)",
        f"{DIFFUSERS}/using-diffusers/reusing_seeds",
    ),
    Cause(
        "noise's dtype and torch's version",
        ("rng.dtype", "rng.stream"),
        "another sample of the same prompt",
        "other initial noise; docs/noise-streams.md",
        "another sample",
        'rng.stream = "torch<=2.11" draws half-precision CPU noise as older versions did',
        "docs/noise-streams.md",
    ),
    Cause(
        "scheduler",
        ("scheduler.class",),
        "other details and motion; with a stochastic scheduler another course altogether",
        "the first step parts, or noise that only one scheduler draws",
        "large",
        "set the host's class: pipe.scheduler = CLASS.from_config(pipe.scheduler.config)",
        f"{DIFFUSERS}/api/schedulers/overview",
    ),
    Cause(
        "timestep spacing",
        ("scheduler.timestep_spacing", "scheduler.*"),
        "other contrast and details",
        "the timesteps of the first step differ",
        "large",
        'pass it to from_config, such as timestep_spacing="trailing"',
        "arXiv:2305.08891",
    ),
    Cause(
        "dynamic CFG",
        ("call.use_dynamic_cfg", "load.use_dynamic_cfg"),
        "objects appear or are missing, other motion",
        "the guidance in force jumps from step to step",
        "large",
        "give use_dynamic_cfg=True to the call of the pipeline; from_pretrained takes it and ignores it",
        "diffusers, CogVideoXPipeline.__call__",
    ),
    Cause(
        "guidance scale",
        ("call.guidance_scale",),
        "stronger or weaker agreement with the prompt",
        "the guidance in force differs at the first step",
        "small to large",
        "give the same guidance_scale",
        "arXiv:2207.12598",
    ),
    Cause(
        "number of steps",
        ("call.num_inference_steps",),
        "other details; with dynamic CFG another course altogether",
        "the traces have different numbers of steps",
        "large",
        "give the same num_inference_steps",
        f"{DIFFUSERS}/api/pipelines/cogvideox",
    ),
    Cause(
        "frame count and size",
        ("call.num_frames", "call.height", "call.width"),
        "another sample, since the noise has another shape",
        "the noise's shape differs",
        "another sample",
        "give the same sizes; CogVideoX takes 8N + 1 frames, CogVideoX 1.5 takes 16N + 1",
        f"{DIFFUSERS}/api/pipelines/cogvideox",
    ),
    Cause(
        "prompt",
        ("call.prompt", "call.negative_prompt", "call.max_sequence_length"),
        "another scene; rewriting on the host leaves no sign in the clip",
        "other text embeddings; CogVideoX cuts prompts at 226 tokens",
        "another sample",
        "give the text that the host generated from, not the one that was typed",
        f"{DIFFUSERS}/api/pipelines/cogvideox",
    ),
    Cause(
        "model and revision",
        ("model.id", "model.revision", "model.commit", "model.variant"),
        "anything",
        "the Hub's commit, when both sides tell it",
        "large",
        "load the same revision",
        "huggingface.co/docs/hub/models",
    ),
    Cause(
        "precision",
        ("model.dtype",),
        "small changes that grow over the steps; black or broken frames where float16 overflows",
        "values that are not finite in the trace, or other noise",
        "small to another sample",
        "load with the dtype that the checkpoint was trained in: bfloat16 for CogVideoX-5b, float16 for 2b",
        f"{DIFFUSERS}/api/pipelines/cogvideox",
    ),
    Cause(
        "adapters",
        ("lora.*",),
        "another style or subject",
        "the weights differ from the first step on",
        "large",
        "load and fuse the same adapters with the same scale",
        f"{DIFFUSERS}/tutorials/using_peft_for_inference",
    ),
    Cause(
        "quantisation",
        ("load.quantization_config", "load.*"),
        "small changes that grow over the steps",
        "the first step parts by little",
        "small to large",
        "load without quantisation, or with the same",
        f"{DIFFUSERS}/quantization/overview",
    ),
    Cause(
        "kernels and hardware",
        ("numerics.*",),
        "small changes that grow over the steps",
        "the first step parts by very little",
        "small",
        "use the same attention kernel and TF32 switch; other GPUs differ all the same",
        "pytorch.org/docs/stable/notes/randomness.html",
    ),
    Cause(
        "VAE tiling and slicing",
        ("vae.*",),
        "seams and slight changes of brightness; slicing changes nothing",
        "all steps agree, and the decoding parts",
        "small",
        "enable tiling on both sides or on none",
        f"{DIFFUSERS}/api/models/autoencoderkl_cogvideox",
    ),
    Cause(
        "file",
        ("output.*",),
        "another speed, blur, blocks",
        "the decoded pictures agree, and the files differ",
        "small",
        "export with the same fps and quality",
        "docs/codec-matching.md",
    ),
    Cause(
        "offloading",
        ("placement",),
        "nothing: it moves weights, not numbers",
        "all stages agree",
        "none",
        "nothing; it may be anything",
        "docs/fresh-pipelines.md",
    ),
    Cause(
        "interpolation and upscaling",
        (),
        "twice the frames, or a larger and sharper picture",
        "the alignment names it",
        "large",
        "switch RIFE and the upscaler off on the host",
        "docs/alignment.md",
    ),
)


def known_cause(path: str) -> Cause | None:
    """Return the entry that goes with a setting, the most exact pattern first."""
    for exact in (True, False):
        for cause in CATALOGUE:
            if any(fnmatchcase(path, pattern) for pattern in cause.paths if ("*" not in pattern) is exact):
                return cause
    return None


def as_markdown() -> str:
    """Return the catalogue as the documentation shows it."""
    lines = [
        "# Known causes",
        "",
        "What makes the same prompt and seed give another clip. Drawn from `harness/catalogue.py`; an entry says",
        "nothing of a given pair of runs, only measuring does.",
        "",
        "| cause | settings | looks like | how it is found | tends to be | what to do | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for cause in CATALOGUE:
        paths = ", ".join(f"`{path}`" for path in cause.paths) or "–"  # noqa: RUF001 - a dash
        cells = [cause.name, paths, cause.looks, cause.detected, cause.size, cause.change, cause.source]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"

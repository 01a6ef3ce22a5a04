"""What becomes of the prompt before the pipeline reads it."""

from __future__ import annotations

from spacediff.catalogue.entries.cause import DIFFUSERS, Cause

PROMPTS: tuple[Cause, ...] = (
    Cause(
        "prompt",
        "prompt",
        ("call.prompt", "call.negative_prompt"),
        "another scene",
        "other text embeddings",
        "another sample",
        "pass the same text, and the same negative prompt",
        f"{DIFFUSERS}/using-diffusers/write_own_pipeline",
    ),
    Cause(
        "prompt-rewriting",
        "prompt rewriting",
        (),
        "another scene; a short prompt gives a rich one",
        "no sign in the clip; spacediff read finds the call to a language model in the Space's source",
        "another sample",
        "pass the text that the Space generated from, not the one that was typed; or switch the rewriting off",
        "docs/reading.md",
    ),
    Cause(
        "prompt-truncation",
        "prompt truncation",
        ("call.max_sequence_length",),
        "what the end of a long prompt asks for is missing",
        "the text embeddings agree although the texts differ; a diffusers warning names what was cut off",
        "another sample",
        "keep the prompt within the limit of tokens, or pass the same max_sequence_length",
        f"{DIFFUSERS}/api/pipelines/overview",
    ),
    Cause(
        "prompt-truncation-cogvideox",
        "prompt truncation of CogVideoX",
        ("call.max_sequence_length",),
        "what the end of a long prompt asks for is missing",
        "the text embeddings agree although the texts differ; a diffusers warning names what was cut off",
        "another sample",
        "keep the prompt within 226 tokens, or pass the same max_sequence_length",
        "diffusers, CogVideoXPipeline.__call__",
        ("CogVideoX",),
    ),
    Cause(
        "prompt-template",
        "prompt template",
        (),
        "another style or scene: the text of the user is only a part of the prompt",
        "other text embeddings; spacediff read finds the text that the source adds",
        "another sample",
        "pass the whole text that the Space makes of the prompt",
        "docs/reading.md",
    ),
)

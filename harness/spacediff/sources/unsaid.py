"""What a source that says little leaves unknown: settings that matter, and never count as equal."""

from __future__ import annotations

from spacediff.settings import Origin, Setting, Settings

_MATTER = ("scheduler.class", "call.num_inference_steps", "call.guidance_scale", "model.dtype")


def with_unsaid(said: Settings) -> Settings:
    """Add those settings as unknown that matter for every clip and that a source does not say."""
    return Settings({path: Setting(None, Origin.UNKNOWN) for path in _MATTER}).changed_by(said)

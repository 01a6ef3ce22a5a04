"""What a Space used in place of what it was asked for: a seed that it drew itself, a prompt that it rewrote.

The key insight: such a clip is no answer to the question that was asked, but it is one to another question, which the
Space states itself: in its outputs, in the file, or through its probe. Without that, nobody knows which one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spacediff.embedded import Declared
from spacediff.privacy.redaction import redact_text
from spacediff.record import InsteadRecord
from spacediff.recordings import RecordedCall
from spacediff.run import Prompt
from spacediff.settings import Origin, Setting
from spacediff.sources.space.messages import Answered
from spacediff.sources.space.request import SpaceRequest, sends_seed

SEED = "rng.seed"
_PROMPT = "call.prompt"


@dataclass(frozen=True)
class Said:
    """What a Space says of how it made a clip.

    Attributes:
        request: The request.
        prompt: The prompt that it was asked for.
        answer: Its answer.
        declared: What its file says of itself.
        call: The call that its probe recorded; None if there is none.
        draws_a_seed: Whether an input of it is on that makes it draw a seed of its own.
    """

    request: SpaceRequest
    prompt: Prompt
    answer: Answered
    declared: Declared
    call: RecordedCall | None
    draws_a_seed: bool

    @property
    def seed(self) -> Setting:
        """The seed that it reports, wrote into its file, or was sent; unknown where it draws its own."""
        if self.answer.seed is not None:
            return Setting(self.answer.seed, Origin.OBSERVED, f"output {self.answer.seed_at} of the Space")
        if (of_file := self.declared.settings.get(SEED)) is not None:
            return of_file
        if self.draws_a_seed:
            return Setting(None, Origin.UNKNOWN, "the Space draws a seed of its own")
        if sends_seed(self.request):
            return Setting(self.prompt.seed, Origin.DECLARED)
        return Setting(None, Origin.UNKNOWN, "not sent to the Space")

    def instead(self, sent: Mapping[str, Any]) -> InsteadRecord | None:
        """Return what it used in place of what it was asked for; None where nothing says that it did.

        Args:
            sent: The inputs of the request, filled in.
        """
        seed = self._seed_used()
        own_seed = self._seed_is_anything() if seed is None else seed != self.prompt.seed
        text = self._other_text(sent)
        if not own_seed and not text:
            return None
        kept = not self.prompt.private and redact_text(text) == text  # a later audit reads it from the store
        return InsteadRecord(
            seed=seed if own_seed else None, own_seed=own_seed, prompt=text if kept else "", rewritten=bool(text)
        )

    def _seed_used(self) -> int | None:
        recorded = self.call.settings.get(SEED) if self.call else None
        used = recorded if type(recorded) is int else self.seed.value
        return used if type(used) is int else None

    def _seed_is_anything(self) -> bool:
        """Whether an unknown seed may be any; it is not where the scenario gives a fixed one to an input."""
        inputs = self.request.inputs.items()
        return self.draws_a_seed or not any("seed" in name.lower() and type(v) in {int, float} for name, v in inputs)

    def _other_text(self, sent: Mapping[str, Any]) -> str:
        """Return the text that was used in place of the prompt; empty where it is the prompt, or one that was sent."""
        asked = self.prompt.text
        recorded = self.call.prompt if self.call else None
        one = recorded[0] if isinstance(recorded, list) and len(recorded) == 1 else recorded
        said = (one, self.answer.prompt, self.declared.settings.value(_PROMPT))  # the most certain first
        text = next((each for each in said if isinstance(each, str) and each.strip()), "")
        known = [asked, *(value for value in sent.values() if isinstance(value, str) and asked in value)]
        return text if asked and text.strip() not in {"", *(each.strip() for each in known)} else ""

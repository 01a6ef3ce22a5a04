"""Wording: facts and records as English sentences, the same for terminal, page, Markdown and JUnit.

Whoever compares, searches or judges makes facts; whoever presents calls this package and words nothing a second time.
One module for each subject. A sentence is plain text: names and values of a record stand in it as they are, and whoever
shows it escapes it.
"""

from __future__ import annotations

from spacediff.wording import alignment, codec, faults, requests, residual, spaces  # noqa: F401 - each says its kinds of fact
from spacediff.wording.answer import answer_sentences
from spacediff.wording.approximation import approximation_texts
from spacediff.wording.cause import (
    acting_text,
    cause_sentences,
    cause_text,
    cost_text,
    probe_text,
    proof_text,
    standing_words,
    weight_text,
    written_cost,
)
from spacediff.wording.contents import agreement_text
from spacediff.wording.controls import control_expectation, control_name
from spacediff.wording.environments import refusal_text
from spacediff.wording.fitting import forecast_texts, taken_text
from spacediff.wording.fix import fix_code
from spacediff.wording.gate import gate_headline
from spacediff.wording.history import history_text
from spacediff.wording.left_open import left_open_phrase, left_open_text
from spacediff.wording.nouns import Nouns, nouns, nouns_for, presenting
from spacediff.wording.releases import moved_text, release_text, versions_text
from spacediff.wording.samples import p_text, samples_text
from spacediff.wording.settings import ignored_text, setting_name
from spacediff.wording.stopped import determinism_text, spread_text, stopped_text
from spacediff.wording.tolerance import tolerance_sentences
from spacediff.wording.traces import loop_reference_text, trace_text, transplant_text
from spacediff.wording.verdicts import clause, outcome, place_of_tile, worst_tile_text
from spacediff.wording.vocabulary import after_colon, paragraph, sentence, sentences

__all__ = [
    "Nouns",
    "acting_text",
    "after_colon",
    "agreement_text",
    "answer_sentences",
    "approximation_texts",
    "cause_sentences",
    "cause_text",
    "clause",
    "control_expectation",
    "control_name",
    "cost_text",
    "determinism_text",
    "fix_code",
    "forecast_texts",
    "gate_headline",
    "history_text",
    "ignored_text",
    "left_open_phrase",
    "left_open_text",
    "loop_reference_text",
    "moved_text",
    "nouns",
    "nouns_for",
    "outcome",
    "p_text",
    "paragraph",
    "place_of_tile",
    "presenting",
    "probe_text",
    "proof_text",
    "refusal_text",
    "release_text",
    "samples_text",
    "sentence",
    "sentences",
    "setting_name",
    "spread_text",
    "standing_words",
    "stopped_text",
    "taken_text",
    "tolerance_sentences",
    "trace_text",
    "transplant_text",
    "versions_text",
    "weight_text",
    "worst_tile_text",
    "written_cost",
]

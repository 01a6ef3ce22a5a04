"""All adapters of a run, loaded in the order in which scripts load them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from spacediff.record import Ignored
from spacediff.settings import Settings
from spacediff.sources.local.adapters.additions import load_ip_adapter, load_textual_inversions
from spacediff.sources.local.adapters.lora import load_loras
from spacediff.sources.local.library_warnings import warnings_of_libraries

_ANSWERED = (
    "No LoRA keys associated to",  # a file need not have weights for each model; one that matches none is refused
    "Loading adapter weights from state_dict led to",  # modules that the pipeline does not have are noted as ignored
    "Already found a `peft_config`",  # a second adapter, which is meant
    "LOAD REPORT",  # transformers takes the keys that a LoRA does not have for missing ones
    "mean_resizing",  # the vectors of new tokens, which the textual inversion then gives
    "Unmerging the model first",  # noted as ignored
)
"""Parts of what the libraries say that is answered by what is checked after loading."""


@dataclass(frozen=True)
class Adapters:
    """The adapters of a pipeline.

    Attributes:
        settings: What was resolved of them and what was observed after loading: files, commits, what acts where.
        ignored: Layers of a file that are in no model of the pipeline, and adapters that do not act.
        warnings: What else the libraries said while they were loaded.
    """

    settings: Settings
    ignored: tuple[Ignored, ...]
    warnings: tuple[str, ...]


def load_adapters(pipeline: Any, declared: Settings) -> Adapters:
    """Load the adapters of a run into its copy of the pipeline.

    Raises:
        UnsupportedSetting: The pipeline does not take an adapter or its scale.
        CheckpointUnavailable: The file of an adapter is missing, is pickled, or does not load.
    """
    with warnings_of_libraries() as logged, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = load_textual_inversions(pipeline, declared)
        ip_adapter = load_ip_adapter(pipeline, declared)
        loras, ignored = load_loras(pipeline, declared)
    said = dict.fromkeys([*logged, *(str(each.message) for each in warned)])
    return Adapters(
        found.changed_by(ip_adapter).changed_by(loras),
        ignored,
        tuple(text for text in said if not any(known in text for known in _ANSWERED)),
    )

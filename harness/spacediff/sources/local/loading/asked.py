"""What is asked of a loader, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.settings import Settings
from spacediff.sources.local.loading.components import Apart, load_apart


@dataclass(frozen=True)
class Asked:
    """A pipeline to load.

    Attributes:
        kind: The pipeline class.
        settings: The declared Settings.
        arguments: The declared arguments of the loading method.
        apart: The components that are loaded separately.
        dtype: The dtype of the weights; None for the library's default.
    """

    kind: Any
    settings: Settings
    arguments: Mapping[str, Any]
    apart: Sequence[Apart]
    dtype: Any

    @property
    def model(self) -> dict[str, Any]:
        """The table `model` of the settings."""
        return self.settings.table("model")

    def choice(self, *keys: str) -> dict[str, str]:
        """Return which of the weights are meant, such as `revision` and `variant`, where that is declared."""
        model = self.model
        return {key: model[key] for key in keys if key in model}

    def components(self, checkpoint: Path) -> dict[str, Any]:
        """Load the components that are loaded separately, by name.

        Args:
            checkpoint: The folder of the pipeline's checkpoint.
        """
        return {each.name: load_apart(each, self.settings, checkpoint) for each in self.apart}


@dataclass(frozen=True)
class Loaded:
    """A loaded pipeline.

    Attributes:
        pipeline: The pipeline, on the CPU unless a device map says otherwise.
        folder: The folder with its files.
        commit: The Hub commit of the files, or None for local ones.
    """

    pipeline: Any
    folder: Path
    commit: str | None = None

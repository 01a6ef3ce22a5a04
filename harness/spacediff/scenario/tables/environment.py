"""Versions of libraries as settings: the environment in which a run happens."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from spacediff.scenario.paths import absolute_path
from spacediff.scenario.tables.base import Table, matching

Version = Annotated[
    str,
    matching(r"^[0-9]+(\.[0-9]+)*((a|b|rc|\.post)[0-9]+)?$", 'a version such as "0.37.1"', max_length=40),
]


def _from_the_scenarios_folder(file: str, info: ValidationInfo) -> str:
    return absolute_path(file, info.context["folder"].absolute()) if info.context else file


Requirements = Annotated[
    str,
    matching(r"\S", "the path of a file of requirements, relative to the scenario's folder", max_length=4000),
    AfterValidator(_from_the_scenarios_folder),
]


class EnvironmentTable(Table):
    """Versions of libraries: the run happens in an environment of its own, which uv builds."""

    diffusers: Version | None = None
    """Version of diffusers; what it is built upon is of the day of its release."""
    transformers: Version | None = None
    """Version of transformers; what it is built upon is of the day of its release."""
    torch: Version | None = None
    """Version of torch, which is downloaded; by default the torch that is here."""
    requirements: Requirements | None = None
    """File with requirements: packages of an index by name, nothing else."""

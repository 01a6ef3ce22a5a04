"""Versions of libraries as settings: the environment in which a run happens."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, ValidationInfo

from spacediff.scenario.paths import absolute_path
from spacediff.scenario.tables.base import Table, expect, matching

OF_THE_SPACE = "space"
"""In place of the table: the environment of the Space that is the reference."""
Version = Annotated[
    str,
    matching(r"^[0-9]+(\.[0-9]+)*((a|b|rc|\.post)[0-9]+)?$", 'a version such as "0.37.1"', max_length=40),
]

PythonVersion = Annotated[
    str, matching(r"^3\.1[0-9](\.[0-9]+)?$", 'a version of Python from 3.10 on, such as "3.12"', max_length=10)
]


def _from_the_scenarios_folder(file: str, info: ValidationInfo) -> str:
    return absolute_path(file, info.context["folder"].absolute()) if info.context else file


Requirements = Annotated[
    str,
    matching(r"\S", "the path of a file of requirements, relative to the scenario's folder", max_length=4000),
    AfterValidator(_from_the_scenarios_folder),
]


HubSpace = Annotated[
    str, matching(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", "a Space of the Hub, ORG/NAME", max_length=200)
]


class EnvironmentTable(Table):
    """Versions of libraries: the run happens in an environment of its own, which uv builds."""

    model_config = ConfigDict(
        json_schema_extra={
            "type": ["object", "string"],
            "pattern": f"^{OF_THE_SPACE}$",
            **expect(f'"{OF_THE_SPACE}", or a table of versions such as {{ diffusers = "0.37.1" }}'),
        }
    )

    diffusers: Version | None = None
    """Version of diffusers; what it is built upon is of the day of its release."""
    transformers: Version | None = None
    """Version of transformers; what it is built upon is of the day of its release."""
    torch: Version | None = None
    """Version of torch, which is downloaded; by default the torch that is here."""
    python: PythonVersion | None = None
    """Version of Python, which has to be on this machine; torch is installed with it, where it is built for another."""
    space: HubSpace | None = None
    """Space of the Hub whose requirements are installed; `env = "space"` is that of the reference."""
    requirements: Requirements | None = None
    """File with requirements: packages of an index by name, nothing else."""

"""What all records share."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Record(BaseModel):
    """Base of all records: unknown keys are mistakes, records do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _to_number(value: Any) -> Any:
    return math.inf if value == "inf" else value


def _from_number(value: float) -> float | Literal["inf"]:
    return "inf" if math.isinf(value) else value


Number = Annotated[float, BeforeValidator(_to_number), PlainSerializer(_from_number, when_used="json")]
"""A float that may be infinite (PSNR of identical frames); JSON has no infinity, so it is written `"inf"`."""

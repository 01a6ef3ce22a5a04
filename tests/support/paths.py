"""Paths in a checkout and in a session of the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this session know."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

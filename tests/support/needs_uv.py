"""Tests that need uv, and those that need the releases of an index besides: skipped where there is none."""

from __future__ import annotations

import pytest

from spacediff.environments.releases import releases_of
from spacediff.environments.uv import uv_program
from spacediff.errors import EnvironmentUnavailable

NEEDS_UV = pytest.mark.skipif(uv_program() is None, reason="uv is not installed")


def skip_without_releases() -> None:
    """Skip a test without uv, or where the index does not list the releases of diffusers."""
    if uv_program() is None:
        pytest.skip("uv is not installed")
    try:
        releases_of("diffusers")
    except EnvironmentUnavailable as error:
        pytest.skip(error.message)

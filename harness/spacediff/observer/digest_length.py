"""How much of a SHA-256 is kept wherever it identifies something: a tensor, a run, a folder, an environment."""

from __future__ import annotations

DIGITS = 24
"""Hexadecimal digits of a digest: 96 bits."""

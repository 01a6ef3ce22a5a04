"""What distinguishes curves: numbers of colours, which the page's style names, and dashes."""

from __future__ import annotations

CURVES = 7
"""Number of colours; further curves differ by their dashes."""

DASHES = [[1, 0], [8, 5], [2, 5], [10, 4, 2, 4]]
"""Pixels drawn and left out, for each dash."""

CONTROL = -1
"""Number of the colour and of the dash of a curve that only gives a scale."""

"""The Space of the tests: the tiny one, with fewer steps than the demo where their number is not the point."""

SPACE_STEPS = 12

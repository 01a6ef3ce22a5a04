"""Tiny random checkpoints of the pipelines that people ask about, made of diffusers' own classes.

`checkpoint(name)` gives the folder of one; it is built on first use, in the cache of the session, under a name that
changes with the code here and with the versions of the libraries. So processes that run at the same time share it.
`FAMILIES` lists the pipelines that load them, each with arguments that generate in about a second.
"""

from __future__ import annotations

from support.tiny_pipelines.families import FAMILIES, Family
from support.tiny_pipelines.folders import BUILDERS, checkpoint

__all__ = ["BUILDERS", "FAMILIES", "Family", "checkpoint"]

"""Proposals: edits of a script that may remove a difference from the Space, the most likely first.

`spacediff.why.patch` tries them, and keeps those that do.
"""

from spacediff.why.proposals.dead import without_dead_argument
from spacediff.why.proposals.every import proposals
from spacediff.why.proposals.site import Proposal, Site
from spacediff.why.proposals.values import choosing_input

__all__ = ["Proposal", "Site", "choosing_input", "proposals", "without_dead_argument"]

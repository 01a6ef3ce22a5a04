"""The Space source: fetches the clip of a prompt from a Gradio app.

The key insight is that a Space is an untrusted program, and that a job costs quota. So everything that can be checked
before the job is sent is checked then, and no answer is trusted: its texts are cleaned, and its file is downloaded only
from the Space's own server, up to a size limit, under a name chosen here. The file is kept unchanged.
"""

from spacediff.sources.space.beforehand import known_before
from spacediff.sources.space.fetching import fetch
from spacediff.sources.space.request import SpaceRequest

__all__ = ["SpaceRequest", "fetch", "known_before"]

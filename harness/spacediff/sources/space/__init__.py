"""Space: fetches a prompt's clip from a hosted Gradio app.

The key insight is that a Space is an untrusted program which costs quota. So everything that can be checked before the
job is sent is checked then, and nothing that comes back is trusted: its texts are cleaned; its file is fetched from the
Space's own address only, limited in size, named here, and kept byte for byte next to the decoded clip.
"""

from spacediff.sources.space.fetching import fetch
from spacediff.sources.space.request import SpaceRequest

__all__ = ["SpaceRequest", "fetch"]

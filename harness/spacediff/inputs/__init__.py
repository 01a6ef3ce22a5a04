"""Input pictures and videos of a prompt: which files they are, and what a pipeline gets of them.

The key insight is that a decoder is part of the result: a picture that is turned or a video that is converted otherwise
gives another clip. So there is one definition, and it is the one that scripts use: `diffusers.utils.load_image` and
`load_video`. docs/inputs.md states it.
"""

"""What is known of diffusers."""

from spacediff.reading.libraries.diffusers.recogniser import Diffusers

__all__ = ["Diffusers"]

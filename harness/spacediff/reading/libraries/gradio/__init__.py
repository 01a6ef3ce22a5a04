"""What is known of Gradio."""

from spacediff.reading.libraries.gradio.recogniser import Gradio

__all__ = ["Gradio"]

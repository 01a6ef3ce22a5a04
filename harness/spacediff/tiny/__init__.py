"""The embedded default: a CogVideoX checkpoint small enough to bring along, its training, and a Space that serves it.

Both are the real thing in every respect but size: a folder that `DiffusionPipeline.from_pretrained` loads,
and a Gradio app in a process of its own that answers `gradio_client`. What holds for them holds for the harness.
"""

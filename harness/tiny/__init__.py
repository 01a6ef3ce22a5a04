"""The embedded default: a CogVideoX checkpoint small enough to be made on the spot, and a Space that serves it.

Both are the real thing in every respect but size and training: a folder that `DiffusionPipeline.from_pretrained` loads,
and a Gradio app in a process of its own that answers `gradio_client`. What holds for them holds for the harness.
"""

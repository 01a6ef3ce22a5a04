"""The embedded default: a CogVideoX checkpoint that is small enough for the package, and a Space that serves it.

Both differ from real ones only in size: a folder that `DiffusionPipeline.from_pretrained` loads, and a Gradio app in a
separate process that answers `gradio_client`.
"""

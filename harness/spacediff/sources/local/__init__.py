"""The local source: clips generated here, by any `DiffusionPipeline.from_pretrained` checkpoint.

The key insight: what a variant changes must not outlive it. So no run works on the loaded pipeline; each gets a copy
of its own whose tensors are aliases of the loaded weights, and whatever hooks, offloading, tiling or schedulers a
variant brings vanish with the copy.

`pipeline` loads and copies, `configure` applies the Settings to the copy, `placement` puts it where they say, `noise`
draws as they say, `resolve` reads from it what they leave open, `generate` is the run.
"""

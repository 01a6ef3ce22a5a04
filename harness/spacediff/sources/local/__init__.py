"""The local source: clips generated here, by any `DiffusionPipeline.from_pretrained` checkpoint.

The key insight: what one run changes must not affect the next. So no run uses the loaded pipeline itself. Each run gets
a copy whose tensors are aliases of the loaded weights, and the hooks, offloading, tiling and schedulers of a variant
are dropped with the copy.

`pipeline` loads and copies, `configure` applies the Settings to the copy, `placement` moves it to its device, `noise`
draws the noise, `resolve` reads the values that the Settings do not set, and `generate` does one run.
"""

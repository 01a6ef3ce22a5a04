"""Adapters: LoRA weights, textual inversions and IP adapters, loaded into the pipeline of one run.

The key insight: adapters are loaded into the run's copy of the pipeline, by the methods that a script calls, and are
dropped with the copy. What a method would change in place is copied before, since the loaded weights are shared.
"""

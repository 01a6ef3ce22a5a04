"""The observer: hooks on a diffusers pipeline, and what was seen through them."""

"""The store: finished runs and their latents on disk, under a hash of everything that determines them."""

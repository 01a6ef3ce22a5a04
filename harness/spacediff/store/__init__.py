"""The store: finished runs and their latents on disk, found again by what determines them."""

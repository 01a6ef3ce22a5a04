"""How the tiny model was trained. The rest of spacediff does not import this package."""

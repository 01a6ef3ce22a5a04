"""Load checkpoints and their components, as a script with the same settings would."""

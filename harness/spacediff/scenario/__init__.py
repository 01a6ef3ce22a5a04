"""Scenarios: a TOML file becomes a checked model, or a list of mistakes with file and line."""

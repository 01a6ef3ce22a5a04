"""How the tiny model was made. Nothing that runs imports this package."""

"""What an audit passes or fails on: by itself, and against an accepted state."""

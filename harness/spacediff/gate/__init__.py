"""What an audit passes or fails on: now, and beside an accepted state."""

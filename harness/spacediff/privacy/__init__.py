"""What must never reach an audit folder or a message: tokens, home paths, private prompts."""

"""What is known of diffusers."""

"""What is known of the libraries that a source uses."""

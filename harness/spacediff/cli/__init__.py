"""The command line: parses what is typed, calls the library, and prints. Nothing else prints."""

"""The command line: what is typed is parsed, carried out by the library, and printed. Nothing else prints."""

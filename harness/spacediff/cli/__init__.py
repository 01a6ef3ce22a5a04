"""The command line: parse the options, call the library, and print the results. Nothing else in spacediff prints."""

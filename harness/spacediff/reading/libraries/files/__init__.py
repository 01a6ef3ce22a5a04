"""Files that a source reads, such as its configuration."""

from spacediff.reading.libraries.files.recogniser import OwnFiles

__all__ = ["OwnFiles"]

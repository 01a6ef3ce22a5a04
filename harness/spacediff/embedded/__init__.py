"""Settings that a program wrote into the picture or video file that it made.

The key insight: such a text is a claim of the program, in the program's own words. A name is mapped to a setting only
where it means the same; anything else is quoted under `file.`, and nothing is guessed. The texts are untrusted: they
are bounded, parsed as data and never executed.
"""

from spacediff.embedded.declared import (
    Declared,
    declared_in,
    declared_in_all,
    files_in,
    is_media_file,
    without_texts,
)

__all__ = ["Declared", "declared_in", "declared_in_all", "files_in", "is_media_file", "without_texts"]

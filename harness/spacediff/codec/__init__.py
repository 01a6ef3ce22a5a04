"""Codec matching: what a hosted file's encoder did, and the same done to local frames before both are compared.

The key insight: x264 writes its version and its whole option string into the stream. The same encoder with the same
options gives the same bytes, so local frames can be encoded exactly as the hosted ones were.
"""

from spacediff.codec.encoding import Encoding, read_encoding
from spacediff.codec.export import export_to_video
from spacediff.codec.matching import Match, encode_like, encoding_of
from spacediff.codec.re_encoded import MAX_PIXELS, is_re_encoded
from spacediff.codec.resolution import Resolution, planted_resolution
from spacediff.codec.stills import StillEncoding, read_still_encoding
from spacediff.codec.x264 import X264

__all__ = [
    "MAX_PIXELS",
    "X264",
    "Encoding",
    "Match",
    "Resolution",
    "StillEncoding",
    "encode_like",
    "encoding_of",
    "export_to_video",
    "is_re_encoded",
    "planted_resolution",
    "read_encoding",
    "read_still_encoding",
]

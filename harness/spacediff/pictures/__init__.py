"""Picture files, always decoded in the same way: PNG, JPEG, WebP, AVIF and GIF, one frame or several.

This is how every picture that is compared is decoded: what a Space returns, and a reference in a file. What a pipeline
gets is decoded in `inputs/`, exactly as diffusers' `load_image` does: the two differ in grey of 16 bits, see there.
"""

from spacediff.pictures.decoding import PictureInfo, probe_pictures, read_picture, read_pictures
from spacediff.pictures.opening import INPUT_FORMATS, PICTURE_FORMATS, PictureFile, picture_format
from spacediff.pictures.sets import MAX_SHEET_HEIGHT, PictureSet, picture_set, write_png, write_set, write_sheet

__all__ = [
    "INPUT_FORMATS",
    "MAX_SHEET_HEIGHT",
    "PICTURE_FORMATS",
    "PictureFile",
    "PictureInfo",
    "PictureSet",
    "picture_format",
    "picture_set",
    "probe_pictures",
    "read_picture",
    "read_pictures",
    "write_png",
    "write_set",
    "write_sheet",
]

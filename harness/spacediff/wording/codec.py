"""The codec: how local frames were encoded for a comparison, and how small a difference it could have shown."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import pixels, plain, start
from spacediff.wording.vocabulary import says

_SIMILAR = ", which is similar but not the same"
_FORMATS = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF", "gif": "GIF", "png": "PNG"}
_LOST = {
    "first-pass": "the first of two passes is not in the file",
    "matrices": "the matrices are not in x264's note",
}


@says(FactKind.FILES_AS_GIVEN)
def _files_as_given() -> str:
    return "Both files are decoded as given."


@says(FactKind.FRAMES_AS_GENERATED)
def _frames_as_generated() -> str:
    return "The output is compared as generated, without a codec on either side."


@says(FactKind.LOSSLESS_REFERENCE)
def _lossless_reference(*, codec: str) -> str:
    return f"The reference file is lossless ({codec}), so the pictures are compared as generated."


@says(FactKind.JPEG_AS_HOSTED)
def _jpeg_as_hosted(*, subsampling: str) -> str:
    chroma = "without colours" if subsampling == "none" else f"with its chroma subsampling, {subsampling}"
    return f"Local pictures are encoded as JPEG with the quantisation tables of the reference file, {chroma}."


@says(FactKind.JPEG_NOT_REPEATED)
def _jpeg_not_repeated() -> str:
    return "The reference file is a JPEG whose colours are stored in a way that cannot be written here"


@says(FactKind.WEBP_INFERRED)
def _webp_inferred(*, quality: int) -> str:
    return (
        f"A WebP file does not say its quality and the encoder's effort: quality {quality} and the usual effort give "
        "its quantiser, and neighbouring ones may do so too. Only equal pictures show that they are right."
    )


@says(FactKind.WEBP_AS_HOSTED)
def _webp_as_hosted(*, quality: int) -> str:
    return (
        f"Local pictures are encoded as WebP by libwebp at quality {quality}: of the usual qualities, it gives the "
        "reference file's own quantiser."
    )


@says(FactKind.NEAREST_PICTURE)
def _nearest_picture(*, format: str, quality: int) -> str:  # noqa: A002 - the name in the record
    return f"Local pictures are encoded as {_FORMATS.get(format, format)} by Pillow at quality {quality}{_SIMILAR}."


@says(FactKind.ENCODED_EXACTLY)
def _encoded_exactly(*, core: int, mbtree: bool) -> str:
    caveat = "; mbtree also depends on the processor, which no file names" if mbtree else ""
    return f"Local frames are encoded like the hosted file, by x264 core {core} with all of its options{caveat}."


@says(FactKind.ENCODED_SIMILARLY)
def _encoded_similarly(*, core: int) -> str:
    return f"Local frames are encoded almost like the hosted file (x264 core {core})"


@says(FactKind.ENCODING_UNSAID)
def _encoding_unsaid(*, codec: str) -> str:
    return f"The hosted file is {_FORMATS.get(codec, codec)}, which does not say how it was encoded"


@says(FactKind.NEAREST_GIF)
def _nearest_gif() -> str:
    return f"Local frames are written as a GIF by Pillow, as diffusers' export_to_gif does{_SIMILAR}."


@says(FactKind.NEAREST_OPENCV)
def _nearest_opencv() -> str:
    return f"Local frames are encoded by OpenCV's mp4v writer, as diffusers does without imageio{_SIMILAR}."


@says(FactKind.NEAREST_ENCODER)
def _nearest_encoder(*, encoder: str, bit_rate: float) -> str:
    return (
        f"Local frames are encoded by {encoder} at the hosted file's mean rate of {bit_rate / 1000:.0f} kbit/s"
        f"{_SIMILAR}."
    )


@says(FactKind.NEAREST_EXPORT)
def _nearest_export(*, quality: float) -> str:
    return f"Local frames are encoded by export_to_video at its default quality {plain(quality)}{_SIMILAR}."


@says(FactKind.SCALED_FIRST)
def _scaled_first(*, before: Sequence[int], after: Sequence[int]) -> str:
    return f"They are first scaled from {pixels(before)} to {pixels(after)} pixels, as imageio does."


@says(FactKind.COLOURS_BY_PYAV)
def _colours_by_pyav() -> str:
    return "Their colours are converted by PyAV, because the hosted file was not written by the ffmpeg program."


@says(FactKind.NOT_ENCODED_EXACTLY)
def _not_encoded_exactly() -> str:
    clip = nouns().side(candidate=True)
    return f"{start(clip.name)} {clip.verb('was', 'were')} encoded almost, not exactly, like the hosted file"


@says(FactKind.X264_SILENT)
def _x264_silent() -> str:
    return "The local encoder writes no note."


@says(FactKind.X264_CORE_DIFFERS)
def _x264_core_differs(*, local: int, hosted: int) -> str:
    return f"x264 core {local} here, {hosted} in the hosted file."


@says(FactKind.X264_OPTION_DIFFERS)
def _x264_option_differs(*, name: str, local: str | None, hosted: str | None) -> str:
    return f"{_option(name, local)} here, {_option(name, hosted)} in the hosted file."


@says(FactKind.X264_OPTION_LOST)
def _x264_option_lost(*, name: str, hosted: str | None, lost: str) -> str:
    why = _LOST.get(lost, "its meaning is unknown here")
    return f"{_option(name, hosted)} of the hosted file cannot be reproduced: {why}."


@says(FactKind.X264_RATE_BUFFER)
def _x264_rate_buffer() -> str:
    return "With a rate buffer and several threads, x264 is not deterministic."


@says(FactKind.PIXEL_FORMAT_DIFFERS)
def _pixel_format_differs(*, local: str, hosted: str) -> str:
    return f"{local} here, {hosted} in the hosted file."


@says(FactKind.MATRIX_LOST)
def _matrix_lost(*, matrix: str) -> str:
    return f"The matrix {matrix} of the hosted file cannot be reproduced."


@says(FactKind.NOTHING_ENCODED)
def _nothing_encoded() -> str:
    return "Nothing was encoded: a difference of one level in one pixel would have been detected."


@says(FactKind.PLANTED_DIFFERENCE_SEEN)
def _planted_difference_seen(*, levels: int, share: float, before: float, after: float, smallest_tried: bool) -> str:
    planted = _planted(levels, share, before)
    if smallest_tried:
        return f"The smallest difference tried, {planted}, survives the codec and measures {after:.1f} dB after it."
    return (
        f"The smallest planted difference that survives the codec is {planted}, which measures {after:.1f} dB after "
        "it; the next smaller one is lost."
    )


@says(FactKind.PLANTED_DIFFERENCE_LOST)
def _planted_difference_lost(*, levels: int, share: float, before: float) -> str:
    return f"Even a difference of {_planted(levels, share, before)} is lost in the codec."


def _planted(levels: int, share: float, before: float) -> str:
    amount = "1 level" if levels == 1 else f"{levels} levels"
    amount_of = "all pixels" if share == 1 else f"{share:.0%} of the pixels"
    return f"{amount} in {amount_of} of one {nouns().frame} ({before:.1f} dB)"


def _option(name: str, value: str | None) -> str:
    return f"no {name}" if value is None else f"{name}={value}"

"""Clips: the frames of one video, or the pictures of one prompt, kept losslessly and always decoded in the same way."""

from spacediff.clip.decoding import FileFrames, LongClip, decode_stream, open_clip, read_clip, read_frame, read_frames
from spacediff.clip.file_info import MAX_PIXELS_PER_FRAME, FileInfo, open_video, packets_of, probe
from spacediff.clip.frames import PICTURES_FPS, Clip, Frame, Medium, counted, frames_digest
from spacediff.clip.writing import write_frames, write_lossless, write_preview

__all__ = [
    "MAX_PIXELS_PER_FRAME",
    "PICTURES_FPS",
    "Clip",
    "FileFrames",
    "FileInfo",
    "Frame",
    "LongClip",
    "Medium",
    "counted",
    "decode_stream",
    "frames_digest",
    "open_clip",
    "open_video",
    "packets_of",
    "probe",
    "read_clip",
    "read_frame",
    "read_frames",
    "write_frames",
    "write_lossless",
    "write_preview",
]

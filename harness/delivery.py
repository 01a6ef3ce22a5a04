"""What `diffusers.utils.export_to_video` takes when nobody says: the defaults of the file that a script delivers."""

EXPORT_FPS = 10
"""Frames per second."""
EXPORT_QUALITY = 5.0
"""imageio's quality, 0 to 10."""

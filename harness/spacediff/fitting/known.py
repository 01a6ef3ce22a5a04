"""What well-known models need at their usual sizes, so that `spacediff doctor` can say what fits without downloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spacediff.fitting.need import OFFLOAD_COPIES, Part, on_device

_MIB = 2**20
_WAYS = {
    "cuda": "resident",
    "model_cpu_offload": "with model_cpu_offload",
    "group_offload": "with group_offload",
}


@dataclass(frozen=True)
class KnownModel:
    """A published model with what one clip needs.

    Attributes:
        name: Its name on the Hub, without the organisation.
        dtype: The data type that its card recommends.
        clip: Frames, height and width of the clip.
        parts_in_mib: Its components, in MiB; the VAE decodes the clip as a whole.
        tiled_decoding: What the VAE needs beside its weights when it decodes in tiles, in MiB.
    """

    name: str
    dtype: str
    clip: tuple[int, int, int]
    parts_in_mib: Mapping[str, Part]
    tiled_decoding: int

    @property
    def weights(self) -> int:
        """The bytes of all weights."""
        return sum(part.weights for part in self.parts_in_mib.values()) * _MIB

    @property
    def on_host(self) -> int:
        """The bytes that offloading needs in the machine's memory."""
        return int(OFFLOAD_COPIES * self.weights)

    def on_device(self, way: str, *, tiling: bool) -> int:
        """Return the bytes that a way of placing needs on an accelerator; see `fitting.need.on_device`."""
        parts = dict(self.parts_in_mib)
        if tiling:
            parts["vae"] = replace(parts["vae"], activations=self.tiled_decoding)
        return on_device(
            [Part(each.weights * _MIB, each.largest * _MIB, each.activations * _MIB) for each in parts.values()], way
        )

    def ways(self, memory: int) -> tuple[str, ...]:
        """Describe how the model fits into a device's memory, the fastest way first.

        What needs tiling says so; ways that are slower than one that needs none are left out.

        Args:
            memory: Bytes of the device.
        """
        found: list[str] = []
        for way, words in _WAYS.items():
            whole, tiled = (self.on_device(way, tiling=tiling) for tiling in (False, True))
            if whole <= memory:
                return (*found, f"{words} ({whole / 2**30:.1f} GiB)")
            if tiled <= memory:
                found.append(f"{words} and vae.tiling ({tiled / 2**30:.1f} GiB)")
        return tuple(found)


MODELS = (
    KnownModel("CogVideoX-2b", "float16", (49, 480, 720), {
        "text_encoder": Part(11004, 251, 31),
        "transformer": Part(3231, 29, 1572),
        "vae": Part(412, 14, 15091),
    }, tiled_decoding=3857),
    KnownModel("CogVideoX-5b", "bfloat16", (49, 480, 720), {
        "text_encoder": Part(9084, 251, 31),
        "transformer": Part(10625, 72, 2706),
        "vae": Part(412, 14, 15091),
    }, tiled_decoding=3857),
    KnownModel("Wan2.1-T2V-1.3B", "bfloat16", (81, 480, 832), {
        "text_encoder": Part(10836, 2003, 97),
        "transformer": Part(2707, 27, 1530),
        "vae": Part(243, 8, 4048),
    }, tiled_decoding=1256),
    KnownModel("Wan2.1-T2V-14B", "bfloat16", (81, 720, 1280), {
        "text_encoder": Part(10836, 2003, 97),
        "transformer": Part(27254, 300, 8187),
        "vae": Part(243, 8, 9342),
    }, tiled_decoding=1866),
)  # fmt: skip
"""What `python -m benchmarks.memory` prints, with diffusers 0.42 and transformers 5.23."""

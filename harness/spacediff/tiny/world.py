"""The world that the tiny model is trained on: clips of simple moving shapes, drawn by code, with their captions.

A scene is exactly what a caption says: shapes, their colours, their motion, and the colour of the floor. Everything
else (size, position, speed, the time of an event) is random in each clip. The colours of objects and floors are far
apart, so that a clip can be compared with its caption by its colours alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.architecture import FRAMES, HEIGHT, WIDTH

Motion = Literal["left", "right", "up", "down", "meet", "appear"]
Draw: TypeAlias = np.random.Generator

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 40, 40),
    "yellow": (240, 215, 50),
    "green": (50, 175, 65),
    "blue": (50, 90, 225),
    "purple": (150, 60, 190),
    "white": (245, 245, 245),
}
"""Colours of objects: sRGB, 8 bits."""

FLOORS: dict[str, tuple[int, int, int]] = {
    "black": (35, 35, 40),
    "grey": (130, 130, 130),
    "brown": (120, 80, 45),
    "green": (70, 130, 70),
    "blue": (75, 110, 165),
}
"""Colours of floors: sRGB, 8 bits, in the middle of the picture."""

SHAPES = ("ball", "box", "cone")
MOTIONS: tuple[Motion, ...] = ("left", "right", "up", "down", "meet", "appear")
DIRECTIONS: frozenset[Motion] = frozenset({"left", "right", "up", "down"})
_SHARES = (0.2, 0.2, 0.15, 0.15, 0.2, 0.1)  # frequency of each motion

HELD_OUT_ONE_IN = 10  # captions


@dataclass(frozen=True)
class Thing:
    """An object: a shape in a colour."""

    colour: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """What a caption says.

    Attributes:
        things: One object; for `meet` two, beginning with the one from the left.
        motion: What the objects do.
        floor: The colour of the floor.
    """

    things: tuple[Thing, ...]
    motion: Motion
    floor: str

    @property
    def caption(self) -> str:
        """The prompt for this scene."""
        first, *others = self.things
        glides = "rolls" if first.shape == "ball" else "slides"
        does = {
            "left": f"{glides} to the left",
            "right": f"{glides} to the right",
            "up": "rises",
            "down": "falls",
            "meet": f"and {others[0] if others else first} meet",
            "appear": "appears",
        }[self.motion]
        return f"{first} {does} over a {self.floor} floor"

    @property
    def held_out(self) -> bool:
        """Whether this caption is held out from the training: one in ten, by its checksum."""
        return zlib.crc32(self.caption.encode()) % HELD_OUT_ONE_IN == 0


def words() -> list[str]:
    """List every word of every caption, sorted."""
    found: set[str] = set()
    for motion in MOTIONS:
        for shape in SHAPES:
            for colour in COLOURS:
                for floor in FLOORS:
                    things = (Thing(colour, shape), Thing(colour, shape))
                    found |= set(Scene(things[: 2 if motion == "meet" else 1], motion, floor).caption.split())
    return sorted(found)


def scenes(seed: int, *, held_out: bool) -> Iterator[Scene]:
    """Yield an endless sequence of random scenes.

    Args:
        seed: Seed of the sequence.
        held_out: Whether to yield the scenes that are held out from the training, or those that are used in it.
    """
    draw = np.random.default_rng(seed)
    while True:
        scene = _scene(draw)
        if scene.held_out is held_out:
            yield scene


def unseen_scenes(seed: int, count: int) -> list[Scene]:
    """Return `count` scenes with different captions that are held out from the training."""
    found: dict[str, Scene] = {}
    for scene in scenes(seed, held_out=True):
        found.setdefault(scene.caption, scene)
        if len(found) == count:
            break
    return list(found.values())


def _scene(draw: Draw) -> Scene:
    motion = MOTIONS[int(draw.choice(len(MOTIONS), p=_SHARES))]
    floor = str(draw.choice(list(FLOORS)))
    free = [colour for colour in COLOURS if colour != floor]
    colours = draw.permutation(free)[: 2 if motion == "meet" else 1]
    return Scene(tuple(Thing(str(colour), str(draw.choice(SHAPES))) for colour in colours), motion, floor)


def draw_clip(scene: Scene, draw: Draw) -> NDArray[np.uint8]:
    """Draw a clip of a scene.

    Args:
        scene: The scene.
        draw: Random generator for everything that the caption does not say.

    Returns:
        Frames, uint8 `[T, H, W, 3]` with T, H, W = 17, 64, 96.
    """
    picture = _floor(scene.floor, draw)[None].repeat(FRAMES, axis=0)
    for thing, path in zip(scene.things, _paths(scene, draw), strict=True):
        _paint(picture, thing, path)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


_Path: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _paths(scene: Scene, draw: Draw) -> list[_Path]:
    """Choose centre (x, y) and radius in pixels of each object in each frame, each `[T]`."""
    time = np.linspace(0.0, 1.0, FRAMES)
    still, radius = np.ones(FRAMES), draw.uniform(10.0, 13.0)
    x, y = draw.uniform(38, WIDTH - 38), draw.uniform(28, HEIGHT - 24)
    if scene.motion in {"left", "right"}:
        start, way = draw.uniform(16, 26), draw.uniform(44, 54)
        along = start + way * time
        return [(along if scene.motion == "right" else WIDTH - along, y * still, radius * still)]
    if scene.motion in {"up", "down"}:
        start, way = draw.uniform(13, 17), draw.uniform(28, 34)
        along = start + way * time
        return [(x * still, along if scene.motion == "down" else HEIGHT - along, radius * still)]
    if scene.motion == "appear":
        grown = np.clip((time - draw.uniform(0.2, 0.4)) / 0.3, 0.0, 1.0)
        return [(x * still, y * still, radius * grown)]
    meeting, distance = draw.uniform(0.75, 0.95), draw.uniform(28, 34)
    gap = distance * np.clip(1 - time / meeting, 0.0, 1.0) + radius * 0.9
    return [(WIDTH / 2 - gap, y * still, radius * still * 0.9), (WIDTH / 2 + gap, y * still, radius * still * 0.9)]


def _floor(colour: str, draw: Draw) -> NDArray[np.float64]:
    """Draw the floor without objects, `[H, W, 3]`: lighter at the far end."""
    near, far = draw.uniform(0.85, 0.95), draw.uniform(1.1, 1.25)
    light = np.linspace(far, near, HEIGHT)
    return np.broadcast_to(np.multiply.outer(light, FLOORS[colour])[:, None], (HEIGHT, WIDTH, 3)).copy()


def _paint(picture: NDArray[np.float64], thing: Thing, path: _Path) -> None:
    """Paint an object over the pictures `[T, H, W, 3]`, with soft edges and lit from above."""
    x, y, radius = path
    across = np.arange(WIDTH)[None, None, :] + 0.5 - x[:, None, None]
    down = np.arange(HEIGHT)[None, :, None] + 0.5 - y[:, None, None]
    size = radius[:, None, None]
    distance = {
        "ball": np.hypot(across, down) - size,
        "box": np.maximum(abs(across), abs(down)) - 0.9 * size,
        "cone": np.maximum((2 * abs(across) - down - size) / np.sqrt(5), down - 0.9 * size),
    }[thing.shape]  # pixels to the edge, negative inside
    cover = np.clip(0.5 - distance, 0.0, 1.0) * np.clip(size, 0.0, 1.0)
    light = 1.0 - 0.18 * np.clip((down + size) / np.maximum(2 * size, 1.0), 0.0, 1.0)
    painted = light[..., None] * COLOURS[thing.colour]
    picture += cover[..., None] * (painted - picture)

"""What stands behind the people of the built-in scenes: procedural floors and walls, nothing photographic."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Surroundings(NamedTuple):
    """Floor at y = 0 and the wall n . x + distance = 0, by the names of their textures; light."""

    floor: str
    wall: str
    wall_normal: Float[np.ndarray, "3"]
    wall_distance: float
    sun: Float[np.ndarray, "3"]
    sun_rgb: Float[np.ndarray, "3"]
    sky_rgb: Float[np.ndarray, "3"]
    tint: Float[np.ndarray, "3"]
    seed: int


def floor_rgb(points: Float[np.ndarray, "n 3"], place: Surroundings) -> Float[np.ndarray, "n 3"]:
    """Colour of points on the floor, rgb in [0, 1]."""
    uv = points[:, [0, 2]]
    if place.floor == "boards":
        return _boards(uv, np.array([0.62, 0.45, 0.30]), 0.14, 1.6, place.seed)
    if place.floor == "tiles":
        return _tiles(uv, np.array([0.60, 0.58, 0.54]), 0.45, place.seed)
    if place.floor == "lawn":
        return _leaves(uv, np.array([0.42, 0.50, 0.27]), 14.0, place.seed)
    raise ValueError(f"floor {place.floor!r}: expected boards, tiles or lawn")


def wall_rgb(points: Float[np.ndarray, "n 3"], place: Surroundings) -> Float[np.ndarray, "n 3"]:
    """Colour of points on the wall, rgb in [0, 1]."""
    along = np.cross([0.0, 1.0, 0.0], place.wall_normal)
    uv = np.stack([points @ along, points[:, 1]], 1)
    if place.wall == "plaster":
        rgb = (
            place.tint
            * (0.9 + 0.14 * (clouds(uv * 1.3, place.seed) - 0.5) + 0.1 * (clouds(uv * 9, place.seed) - 0.5))[:, None]
        )
        return np.where((uv[:, 1] < 0.10)[:, None], np.array([0.82, 0.80, 0.76]), rgb)
    if place.wall == "bricks":
        return _bricks(uv, np.array([0.55, 0.33, 0.26]), place.seed)
    if place.wall == "hedge":
        return _leaves(uv, np.array([0.34, 0.42, 0.27]), 9.0, place.seed)
    raise ValueError(f"wall {place.wall!r}: expected plaster, bricks or hedge")


def clouds(uv: Float[np.ndarray, "n 2"], seed: int, octaves: int = 4) -> Float[np.ndarray, " n"]:
    """Value noise in [0, 1]: smooth interpolation of a random lattice, halved and doubled over the octaves."""
    table = np.random.default_rng(seed).random((64, 64))
    total = np.zeros(len(uv))
    for k in range(octaves):
        place = uv * 2**k + 17.3 * k
        cell = np.floor(place).astype(int)
        s, t = (smooth := (place - cell) ** 2 * (3 - 2 * (place - cell)))[:, 0], smooth[:, 1]
        (a, b), (c, d) = (cell % 64).T, ((cell + 1) % 64).T
        low = table[a, b] * (1 - s) + table[c, b] * s
        high = table[a, d] * (1 - s) + table[c, d] * s
        total += (low * (1 - t) + high * t) * 0.5 ** (k + 1)
    return total / (1 - 0.5**octaves)


def _cell_value(cell: np.ndarray, seed: int) -> np.ndarray:
    """A random number in [0, 1] for each whole-numbered cell."""
    table = np.random.default_rng(seed + 1).random((64, 64))
    a, b = (cell.astype(int) % 64).T
    return table[a, b]


def _boards(uv: np.ndarray, color: np.ndarray, width: float, length: float, seed: int) -> np.ndarray:
    row = np.floor(uv[:, 0] / width)
    shifted = uv[:, 1] + 0.37 * length * row
    cell = np.stack([row, np.floor(shifted / length)], 1)
    streaks = clouds(uv * [30.0, 2.0] + 5 * cell, seed)
    value = 0.78 + 0.25 * _cell_value(cell, seed) + 0.3 * (streaks - 0.5)
    gap = (uv[:, 0] / width % 1 < 0.025) | (shifted / length % 1 < 0.003)
    return color * np.where(gap, 0.45, value)[:, None]


def _tiles(uv: np.ndarray, color: np.ndarray, width: float, seed: int) -> np.ndarray:
    cell = np.floor(uv / width)
    value = 0.86 + 0.16 * _cell_value(cell, seed) + 0.22 * (clouds(uv * 6, seed) - 0.5)
    joint = (uv / width % 1 < 0.022).any(1)
    return color * np.where(joint, 0.68, value)[:, None]


def _bricks(uv: np.ndarray, color: np.ndarray, seed: int) -> np.ndarray:
    row = np.floor(uv[:, 1] / 0.075)
    across = uv[:, 0] / 0.24 + 0.5 * (row % 2)
    cell = np.stack([np.floor(across), row], 1)
    value = 0.75 + 0.35 * _cell_value(cell, seed) + 0.3 * (clouds(uv * 20, seed) - 0.5)
    joint = (across % 1 < 0.04) | (uv[:, 1] / 0.075 % 1 < 0.13)
    mortar = np.array([0.62, 0.59, 0.55]) * (0.9 + 0.2 * clouds(uv * 30, seed))[:, None]
    return np.where(joint[:, None], mortar, color * value[:, None])


def _leaves(uv: np.ndarray, color: np.ndarray, scale: float, seed: int) -> np.ndarray:
    fine, coarse = clouds(uv * scale, seed, 5), clouds(uv * scale * 0.1, seed + 3)
    value = 0.45 + 0.95 * fine + 0.4 * (coarse - 0.5)
    warm = np.array([1.12, 1.0, 0.8])
    return color * value[:, None] * (1 + (warm - 1) * coarse[:, None])

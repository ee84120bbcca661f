"""Colours by body part: one for each part, and clothes, because the built-in figure is undressed."""

import colorsys
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from hoijax.body.parts import PART_NAMES
from hoijax.types import Body

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Outfit:
    """Colours of a dressed figure, rgb in [0, 1]."""

    skin: RGB = (0.80, 0.60, 0.48)
    hair: RGB = (0.23, 0.15, 0.10)
    eyes: RGB = (0.93, 0.92, 0.90)
    lips: RGB = (0.70, 0.40, 0.36)
    shirt: RGB = (0.20, 0.42, 0.62)
    trousers: RGB = (0.25, 0.26, 0.30)
    shoes: RGB = (0.36, 0.20, 0.13)


_WORN = {
    "shirt": ("torso", "back", "shoulder", "upper arm"),
    "trousers": ("bottom", "hip", "upper leg", "knee", "lower leg"),
    "shoes": ("foot",),
    "eyes": ("eye",),
    "lips": ("mouth",),
}


def part_colors() -> Float[np.ndarray, "34 3"]:
    """A colour for each part, rgb in [0, 1]: hues far apart for neighbours; the right side is the darker."""
    names = [name.removeprefix("left ").removeprefix("right ") for name in PART_NAMES]
    kinds = list(dict.fromkeys(names))
    colors = []
    for kind, name in zip(names, PART_NAMES):
        k = kinds.index(kind)
        value = 0.62 if name.startswith("right ") else 0.95
        colors.append(colorsys.hsv_to_rgb((0.618034 * k) % 1, (0.75, 0.5, 0.9)[k % 3], value))
    return np.array(colors)


def outfit_rgb(body: Body, parts: Int[np.ndarray, " v"], outfit: Outfit | None = None) -> Float[np.ndarray, "v 3"]:
    """Colour of each vertex of a skinned body in T-shirt, trousers and shoes, rgb in [0, 1].

    The shirt ends at the lowest joint of the spine. Hair: the head above a plane from the nape up to the forehead.
    """
    outfit = outfit or Outfit()
    kinds = np.array([name.removeprefix("left ").removeprefix("right ") for name in PART_NAMES])[parts]
    verts = np.asarray(body.template)
    joints = np.asarray(body.regressor) @ verts
    rgb = np.tile(np.array(outfit.skin), (len(verts), 1))
    for garment, worn in _WORN.items():
        rgb[np.isin(kinds, worn)] = getattr(outfit, garment)
    rgb[np.isin(kinds, ("torso", "back")) & (verts[:, 1] < joints[3, 1])] = outfit.trousers
    rgb[(kinds == "head") & _hair(verts, joints)] = outfit.hair
    return rgb


def _hair(verts: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Above the plane through the nape (the height of the jaw joint) and a line one eye distance above the eyes."""
    eyes = joints[23:25].mean(0)
    unit = np.linalg.norm(joints[23] - joints[24])
    nape, line = joints[22] - [0, 0, unit], eyes + [0, unit, 0.3 * unit]
    slope = (line[1] - nape[1]) / (line[2] - nape[2])
    return verts[:, 1] > nape[1] + slope * (verts[:, 2] - nape[2])

"""The sample's pinhole camera in the words of Blender's: lens, shift, pixel aspect, clipping."""

from typing import NamedTuple

import numpy as np

SENSOR = 36.0  # millimetres across the image, Blender's default


class View(NamedTuple):
    """Settings of a Blender camera with horizontal sensor fit. Lens and sensor in mm, shifts in image widths."""

    lens: float
    shift: tuple[float, float]
    pixel_aspect: tuple[float, float]
    clip: tuple[float, float]


def view_of(focal: np.ndarray, center: np.ndarray, size: tuple[int, int], depths: np.ndarray) -> View:
    """The view of a camera with focal (2,) and principal point (2,) in pixels of a photograph of size (width, height).

    A pixel is drawn aspect times as high as wide where focal lengths differ; Blender wants both numbers at least 1.
    `depths` (metres) are those to be seen: the clipping planes leave a factor of 10 on both sides.
    """
    width, height = size
    aspect = focal[0] / focal[1]
    shift = (width / 2 - center[0]) / width, (center[1] - height / 2) / width * aspect
    near = max(0.001, float(depths.min()) / 10)
    return View(
        lens=float(focal[0] * SENSOR / width),
        shift=(float(shift[0]), float(shift[1])),
        pixel_aspect=(max(1.0, float(1 / aspect)), max(1.0, float(aspect))),
        clip=(near, max(10 * near, 10 * float(depths.max()))),
    )

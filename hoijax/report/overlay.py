"""Pictures of a result: over the photograph, from other sides, and its contact on the body."""

from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np
from jaxtyping import Float, UInt8

from hoijax.data.results import Result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.metrics.surface import surface, surface_distance
from hoijax.report.raycast import Cast, cast, photo_view, side_view
from hoijax.types import Camera

RGB = tuple[float, float, float]
HUMAN_RGB: RGB = (0.42, 0.62, 0.90)
OBJECT_RGB: RGB = (0.98, 0.60, 0.30)
TRUTH_RGB: RGB = (0.44, 0.74, 0.50)

# Rows: right, down and away in the picture, in camera axes (x right, y down, z away from the camera).
SIDES = {
    "front": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "side": np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]),
    "top": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "back": np.array([[-1.0, 0, 0], [0, 1, 0], [0, 0, -1]]),
}
HEAT_MAP = "OrRd_r"  # matplotlib's: dark red at zero
NEAR = 0.20  # metres from the object from where on a body's nearness to it looks the same
SCORE = 0.5  # the same for the contact score
NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0))


def painted(mesh: ColoredMesh, rgb: RGB, translation: Float[np.ndarray, "3"] | None = None) -> ColoredMesh:
    """The mesh in one colour, moved by `translation` (metres)."""
    move = np.zeros(3) if translation is None else np.asarray(translation, np.float64)
    return ColoredMesh(mesh.verts + move, mesh.faces, np.tile(np.float64(rgb), (len(mesh.verts), 1)))


def overlay(
    image: UInt8[np.ndarray, "h w 3"],
    meshes: Sequence[ColoredMesh],
    camera: Camera,
    long_side: int = 1280,
    strength: float = 0.78,
) -> UInt8[np.ndarray, "a b 3"]:
    """The meshes (camera frame, metres), shaded and mixed over the photograph, which is made smaller to `long_side`.

    Where one mesh is in front of the other it hides it; a thin line separates them from each other and the background.
    """
    scale = min(1.0, long_side / max(image.shape[:2]))
    view = photo_view(camera, image.shape[:2], scale)
    drawn = cast(meshes, view)
    photo = cv2.resize(image, view.size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mixed = photo * (1 - strength * drawn.alpha[..., None]) + strength * drawn.rgb
    mixed *= 1 - 0.35 * _edges(drawn)[..., None]
    return _bytes(mixed)


def overlay_picture(sample: Sample, result: Result, long_side: int = 1280) -> UInt8[np.ndarray, "a b 3"]:
    """The reconstruction over its photograph: person blue, object orange."""
    translation = np.asarray(result.pose.translation)
    meshes = [painted(result.human, HUMAN_RGB, translation), painted(result.object, OBJECT_RGB, translation)]
    return overlay(sample.image, meshes, sample.camera, long_side)


def view_pictures(
    meshes: Sequence[ColoredMesh],
    framed: Float[np.ndarray, "n 3"],
    size: tuple[int, int] = (440, 440),
    sides: Sequence[str] = ("front", "side", "top"),
) -> dict[str, UInt8[np.ndarray, "h w 4"]]:
    """The meshes from each of the sides, orthographic, on a transparent ground; `framed` points decide the scale.

    `front` looks as the photograph's camera does; `side` from the picture's left; `top` from above, camera side down.
    """
    return {side: _cutout(cast(meshes, side_view(SIDES[side], framed, size))) for side in sides}


def views_picture(sample: Sample, result: Result, size: int = 440) -> UInt8[np.ndarray, "h w 3"]:
    """Front, side and top of the start (upper row) and of the result (lower row), side by side on white."""
    rows = []
    framed = framing(sample, result)
    for human, thing in ((sample.human, sample.object), (result.human, result.object)):
        meshes = [painted(human, HUMAN_RGB), painted(thing, OBJECT_RGB)]
        rows.append(np.concatenate([on_white(v) for v in view_pictures(meshes, framed, (size, size)).values()], 1))
    return np.concatenate(rows)


def framing(sample: Sample, result: Result) -> Float[np.ndarray, "n 3"]:
    """All points of the start and the result: pictures framed by them can be compared."""
    return np.concatenate([mesh.verts for mesh in (sample.human, sample.object, result.human, result.object)])


def heat(value: Float[np.ndarray, " v"], full: float) -> Float[np.ndarray, "v 3"]:
    """Colour of each vertex, dark red at 0, pale from `full` on; grey where the value is not finite."""
    known = np.isfinite(value)
    color = matplotlib.colormaps[HEAT_MAP](np.clip(np.where(known, value, full) / full, 0, 1))[:, :3]
    return np.where(known[:, None], color, 0.7)


def object_distance(result: Result) -> Float[np.ndarray, " v"]:
    """Distance of each vertex of the body to the object's surface, metres."""
    thing = surface(result.object.verts, result.object.faces, "object")
    return surface_distance(np.asarray(result.human.verts, np.float64), thing)


def body_pictures(
    result: Result, rgb: Float[np.ndarray, "v 3"], size: tuple[int, int] = (520, 360)
) -> dict[str, UInt8[np.ndarray, "h w 4"]]:
    """The body in the given colours from the camera's side (`front`) and from behind, on a transparent ground."""
    body = result.human._replace(rgb=rgb)
    return view_pictures([body], np.asarray(body.verts, np.float64), size, ("front", "back"))


def contact_picture(result: Result) -> UInt8[np.ndarray, "h w 3"]:
    """Two views each, side by side on white: nearness to the object, and the contact score (Open3DHOI Eq. 4)."""
    colors = heat(object_distance(result), NEAR), heat(np.asarray(result.contact, np.float64), SCORE)
    return np.concatenate([on_white(v) for rgb in colors for v in body_pictures(result, rgb).values()], 1)


def on_white(picture: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 3"]:
    """An RGBA picture on white."""
    alpha = picture[..., 3:] / 255
    return _bytes(picture[..., :3] / 255 * alpha + 1 - alpha)


def _cutout(drawn: Cast) -> UInt8[np.ndarray, "h w 4"]:
    """RGBA, not multiplied by alpha, with the line where one mesh meets another."""
    alpha = drawn.alpha[..., None]
    rgb = drawn.rgb / np.where(alpha > 0, alpha, 1)
    return _bytes(np.concatenate([rgb * (1 - 0.3 * _edges(drawn, inner=True)[..., None]), alpha], -1))


def _edges(drawn: Cast, inner: bool = False) -> Float[np.ndarray, "h w"]:
    """1 on pixels of a mesh that touch another mesh or, unless `inner`, the background."""
    padded = np.pad(drawn.mesh, 1, mode="edge")
    near = [padded[1 + i : padded.shape[0] - 1 + i, 1 + j : padded.shape[1] - 1 + j] for i, j in NEIGHBOURS]
    other = [(side != drawn.mesh) & ((side >= 0) | (not inner)) for side in near]
    return np.float32(np.any(other, 0) & (drawn.mesh >= 0))


def _bytes(picture: Float[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n"]:
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)

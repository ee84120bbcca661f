"""Pictures of a result: over the photograph, from other sides, and its contact on the body."""

from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np
from jaxtyping import Float, UInt8

from hoijax.data.results import Result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.metrics.surface import surface, surface_distance
from hoijax.report.raycast import Cast, Solid, cast, photo_view, recolored, side_view, solid
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


def painted(human: ColoredMesh, thing: ColoredMesh, thing_rgb: RGB = OBJECT_RGB) -> Solid:
    """Person and object in one colour each, ready to be looked at from anywhere."""
    colors = HUMAN_RGB, thing_rgb
    return solid(
        [
            mesh._replace(rgb=np.tile(np.asarray(rgb, np.float64), (len(mesh.verts), 1)))
            for mesh, rgb in zip((human, thing), colors)
        ]
    )


def overlay(
    image: UInt8[np.ndarray, "h w 3"],
    shape: Solid,
    camera: Camera,
    translation: Float[np.ndarray, "3"],
    long_side: int = 1280,
    strength: float = 0.78,
) -> UInt8[np.ndarray, "a b 3"]:
    """The meshes, moved by `translation` and shaded, over the photograph, which is made smaller to `long_side`.

    Where one mesh is in front of the other it hides it; a thin line separates them from each other and the background.
    """
    scale = min(1.0, long_side / max(image.shape[:2]))
    drawn = cast(shape, photo_view(camera, image.shape[:2], translation, scale))
    photo = cv2.resize(image, drawn.alpha.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mixed = photo * (1 - strength * drawn.alpha[..., None]) + strength * drawn.rgb
    mixed *= 1 - 0.35 * _edges(drawn)[..., None]
    return _bytes(mixed)


def overlay_picture(sample: Sample, result: Result, long_side: int = 1280) -> UInt8[np.ndarray, "a b 3"]:
    """The reconstruction over its photograph: person blue, object orange."""
    shape = painted(result.human, result.object)
    return overlay(sample.image, shape, sample.camera, np.asarray(result.pose.translation), long_side)


def view_pictures(
    shape: Solid,
    framed: Float[np.ndarray, "n 3"],
    size: tuple[int, int] = (440, 440),
    sides: Sequence[str] = ("front", "side", "top"),
) -> dict[str, UInt8[np.ndarray, "h w 4"]]:
    """The meshes from each of the sides, orthographic, on a transparent ground; `framed` points decide the scale.

    `front` looks as the photograph's camera does; `side` from the picture's left; `top` from above, camera side down.
    """
    return {side: _cutout(cast(shape, side_view(SIDES[side], framed, size))) for side in sides}


def views_picture(sample: Sample, result: Result, size: int = 440) -> UInt8[np.ndarray, "h w 3"]:
    """Front, side and top of the start (upper row) and of the result (lower row), side by side on white."""
    framed, rows = framing(sample, result), []
    for shape in (painted(sample.human, sample.object), painted(result.human, result.object)):
        rows.append(np.concatenate([on_white(v) for v in view_pictures(shape, framed, (size, size)).values()], 1))
    return np.concatenate(rows)


def framing(sample: Sample, result: Result) -> Float[np.ndarray, "2 3"]:
    """Two opposite corners of the box around the start and the result: views framed by them can be compared.

    They are enough for views along the axes.
    """
    points = np.concatenate([mesh.verts for mesh in (sample.human, sample.object, result.human, result.object)])
    return np.stack([points.min(0), points.max(0)])


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
    body: Solid, rgb: Float[np.ndarray, "v 3"], size: tuple[int, int] = (520, 360)
) -> dict[str, UInt8[np.ndarray, "h w 4"]]:
    """The body alone in the given colours from the camera's side (`front`) and from behind, on a transparent ground."""
    return view_pictures(recolored(body, [rgb]), np.asarray(body.meshes[0].verts, np.float64), size, ("front", "back"))


def contact_picture(result: Result) -> UInt8[np.ndarray, "h w 3"]:
    """Two views each, side by side on white: nearness to the object, and the contact score (Open3DHOI Eq. 4)."""
    body = solid([result.human])
    colors = heat(object_distance(result), NEAR), heat(np.asarray(result.contact, np.float64), SCORE)
    return np.concatenate([on_white(v) for rgb in colors for v in body_pictures(body, rgb).values()], 1)


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
    return (np.any(other, 0) & (drawn.mesh >= 0)).astype(np.float32)


def _bytes(picture: Float[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n"]:
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)

"""What the filter shows of a sample, made before its page does: pictures, packed masks, the object's mesh."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from hoijax.annotate.blobs import jpeg, packed_mesh, png
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.report.overlay import HUMAN_RGB, on_white
from hoijax.report.raycast import Cast, cast, photo_view, side_view, solid

OVERLAY_PX = 1280  # the longer side of the human's picture: larger photographs show it enlarged
TILE_PX = 208  # side of one of the six views
NAME_PX = 17  # their names: also to be read in a window of 1280 pixels

# Rows: right, down and away in the picture, in camera axes (x right, y down, z away from the camera).
SIX = {
    "in the photo": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "from the left": np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]),
    "from behind": np.array([[-1.0, 0, 0], [0, 1, 0], [0, 0, -1]]),
    "from above": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "from the right": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
    "from below": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}


class Prepared(NamedTuple):
    """Bytes for the browser: the photograph and the six views (JPEG), the human over it (PNG with alpha), masks a bit a
    pixel, the packed mesh; `sphere`: middle and radius (metres) of the object, for a camera about it."""

    photo: bytes
    human: bytes
    human_mask: bytes
    object_mask: bytes
    six: bytes
    mesh: bytes
    sphere: tuple[Float[np.ndarray, "3"], float]


def prepare(sample: Sample) -> Prepared:
    """All of it."""
    return Prepared(
        jpeg(sample.image),
        png(human_over(sample)),
        bits(sample.human_mask),
        bits(sample.object_mask),
        jpeg(six_views(sample.object)),
        packed_mesh(sample.object),
        _sphere(sample.object),
    )


def bits(mask: Bool[np.ndarray, "h w"]) -> bytes:
    """Row after row without gaps, eight pixels a byte, the first highest."""
    return np.packbits(mask.ravel()).tobytes()


def human_over(sample: Sample) -> UInt8[np.ndarray, "a b 4"]:
    """The human as the photograph's camera sees them, transparent around; at most OVERLAY_PX long."""
    h, w = sample.image.shape[:2]
    scale = min(1.0, OVERLAY_PX / max(h, w))
    rgb = np.tile(np.asarray(HUMAN_RGB), (len(sample.human.verts), 1))
    translation = np.asarray(sample.pose.translation, np.float64)
    return _rgba(cast(solid([sample.human._replace(rgb=rgb)]), photo_view(sample.camera, (h, w), translation, scale)))


def six_views(mesh: ColoredMesh) -> UInt8[np.ndarray, "h w 3"]:
    """The mesh from six sides, three in a row, each with its name."""
    shape, points = solid([mesh]), np.asarray(mesh.verts, np.float64)
    size = (TILE_PX, TILE_PX)
    tiles = [
        _named(on_white(_rgba(cast(shape, side_view(turn, points, size, 0.1)))), name) for name, turn in SIX.items()
    ]
    return np.concatenate([np.concatenate(tiles[:3], 1), np.concatenate(tiles[3:], 1)])


def small(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "a b 3"]:
    """The picture, its longer side at most `side` pixels."""
    scale = min(1.0, side / max(picture.shape[:2]))
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _rgba(seen: Cast) -> UInt8[np.ndarray, "h w 4"]:
    straight = seen.rgb / np.maximum(seen.alpha, 1e-6)[..., None]
    return np.clip(np.rint(255 * np.concatenate([straight, seen.alpha[..., None]], -1)), 0, 255).astype(np.uint8)


def _named(tile: UInt8[np.ndarray, "h w 3"], name: str) -> UInt8[np.ndarray, "h w 3"]:
    page = Image.fromarray(tile)
    ImageDraw.Draw(page).text((6, 0), name, fill=(80, 80, 80), font=ImageFont.load_default(NAME_PX))
    return np.asarray(page)


def _sphere(mesh: ColoredMesh) -> tuple[Float[np.ndarray, "3"], float]:
    used = np.asarray(mesh.verts, np.float64)[np.unique(mesh.faces)]
    middle = (used.min(0) + used.max(0)) / 2
    return middle, float(max(np.linalg.norm(used - middle, axis=1).max(), 1e-6))

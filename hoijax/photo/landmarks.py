"""The 33 landmarks of BlazePose on a turned square around the person (BlazePose GHUM 3D, model card, 2021)."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from hoijax.photo.models import Network

SIDE = 256  # pixels of the network's image
HEAT = 64  # and of its heat maps
MARGIN = 1.25  # the square's half side, in radii of the person's circle
LEAST_HEAT = 0.5  # a heat map below has no say
MOST_FINER = 16

LANDMARKS = (
    *("nose", "left eye inner", "left eye", "left eye outer", "right eye inner", "right eye", "right eye outer"),
    *("left ear", "right ear", "mouth left", "mouth right"),
    *(
        f"{side} {name}"
        for name in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel", "toes")
        for side in ("left", "right")
    ),
)


class Square(NamedTuple):
    """A square window on the photograph, in pixels: its middle, side, and turn (radians, clockwise as seen)."""

    center: Float[np.ndarray, "2"]
    side: float
    turn: float


class Landmarks(NamedTuple):
    """What the network says of one square. `world` is in metres about the middle of the hips, axes as the camera's.

    `presence`: of a person at all. `visibility` and `within` of each landmark: seen, inside the square. `soft_mask`: of
    the person on the square, in [0, 1]. `hips` and `top` are what a better square can be drawn around.
    """

    square: Square
    presence: float
    pixels: Float[np.ndarray, "33 2"]
    visibility: Float[np.ndarray, "33"]
    within: Float[np.ndarray, "33"]
    world: Float[np.ndarray, "33 3"]
    soft_mask: Float[np.ndarray, "s s"]
    hips: Float[np.ndarray, "2"]
    top: Float[np.ndarray, "2"]


def person_square(hips: Float[np.ndarray, "2"], top: Float[np.ndarray, "2"]) -> Square:
    """The square around the circle about the hips through `top`, turned so that `top` is above the hips."""
    x, y = top - hips
    return Square(hips, 2 * MARGIN * float(np.hypot(x, y)), float(np.arctan2(x, -y)))


def find_landmarks(image: UInt8[np.ndarray, "h w 3"], square: Square, network: Network) -> Landmarks:
    """Landmarks and mask of the person in a square of the photograph."""
    window = cropped(image, square)
    flat, presence, mask, heat, world = network(window.astype(np.float32) / 255)
    table = flat.reshape(39, 5)
    local = refined(table[:33, :2] / SIDE, _sigmoid(heat[..., :33]))
    turned = world.reshape(39, 3)[:33].astype(np.float64)
    turned[:, :2] = turned[:, :2] @ _rotation(square.turn).T
    hips, top = from_square(table[33:35, :2] / SIDE, square)
    return Landmarks(
        square=square,
        presence=float(presence[0]),
        pixels=from_square(local, square),
        visibility=_sigmoid(table[:33, 3]),
        within=_sigmoid(table[:33, 4]),
        world=turned,
        soft_mask=_sigmoid(mask[..., 0]),
        hips=hips,
        top=top,
    )


def from_square(local: Float[np.ndarray, "n 2"], square: Square) -> Float[np.ndarray, "n 2"]:
    """Pixels of the photograph of points in sides of the square."""
    return square.center + (local - 0.5) * square.side @ _rotation(square.turn).T


def refined(
    local: Float[np.ndarray, "33 2"], heat: Float[np.ndarray, "m m 33"], reach: int = 3
) -> Float[np.ndarray, "33 2"]:
    """Each landmark (in sides of the square) moved to the centroid of the heat about it, where there is heat enough.

    Cells count from 0, not from their centres: so the network was trained, and so landmarks come out without bias.
    """
    moved = np.array(local, np.float64)
    for k, (x, y) in enumerate(np.floor(local * HEAT).astype(int)):
        if not (0 <= x < HEAT and 0 <= y < HEAT):
            continue
        rows = np.arange(max(0, y - reach), min(HEAT, y + reach + 1))
        columns = np.arange(max(0, x - reach), min(HEAT, x + reach + 1))
        weight = heat[rows[:, None], columns, k].astype(np.float64)
        if weight.max() >= LEAST_HEAT:
            moved[k] = np.array([weight.sum(0) @ columns, weight.sum(1) @ rows])
            moved[k] /= weight.sum() * HEAT
    return moved


def cropped(image: UInt8[np.ndarray, "h w 3"], square: Square, side: int = SIDE) -> UInt8[np.ndarray, "s s 3"]:
    """The square as an image of `side`; beyond the photograph its border goes on."""
    finer = side * int(np.clip(np.ceil(square.side / side), 1, MOST_FINER))  # or pixels between samples have no say
    window = cv2.warpAffine(
        image,
        to_photo(square, finer),
        (finer, finer),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(window, (side, side), interpolation=cv2.INTER_AREA)


def to_photo(square: Square, side: int) -> Float[np.ndarray, "2 3"]:
    """Affine map from array indices of the square's image to those of the photograph (index = pixel - 0.5)."""
    linear = _rotation(square.turn) * (square.side / side)
    return np.column_stack([linear, square.center - 0.5 - linear @ np.full(2, side / 2 - 0.5)])


def on_photo(values: Float[np.ndarray, "s s"], square: Square, size: tuple[int, int]) -> Float[np.ndarray, "h w"]:
    """An image of the square laid onto a photograph of `size` (height, width); 0 outside of the square."""
    return cv2.warpAffine(values.astype(np.float32), to_photo(square, len(values)), size[::-1], flags=cv2.INTER_CUBIC)


def _rotation(turn: float) -> Float[np.ndarray, "2 2"]:
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -80, 80).astype(np.float64)))

"""Where people are: the detector of BlazePose, decoded (Bazarevsky et al., BlazePose, 2020; BlazeFace, 2019).

A single-shot detector: each of 2254 anchors (cell centres of three grids) offers a box about a face and four points:
the middle of the hips, a point on the circle around the whole person, and two for the upper body.
"""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from hoijax.photo.models import Network

SIDE = 224  # pixels of the detector's image
GRIDS = ((8, 2), (16, 2), (32, 6))  # stride in pixels, anchors per cell
FEWEST = 0.5  # score of a detection
OVERLAP = 0.3  # boxes that share more (intersection over union) are one person


class Detection(NamedTuple):
    """A person in pixels of the photograph: `hips` the middle of the hips, `top` a point above it on their circle."""

    score: float
    face: Float[np.ndarray, "4"]
    hips: Float[np.ndarray, "2"]
    top: Float[np.ndarray, "2"]


def detections(image: UInt8[np.ndarray, "h w 3"], network: Network) -> list[Detection]:
    """People by falling score."""
    small, scale, offset = letterboxed(image)
    raw, logit = network(small.astype(np.float32) / 127.5 - 1)
    found = merged(decoded(raw), 1 / (1 + np.exp(-np.clip(logit[:, 0], -80, 80))))
    return [
        Detection(score, *np.split((points.astype(np.float64) * SIDE - np.tile(offset, 4)) / scale, (4, 6)))
        for score, points in found
    ]


def letterboxed(image: UInt8[np.ndarray, "h w 3"]) -> tuple[UInt8[np.ndarray, "s s 3"], float, Float[np.ndarray, "2"]]:
    """The photograph fitted into a black square; small pixel = scale * pixel + offset."""
    h, w = image.shape[:2]
    scale = SIDE / max(h, w)
    width, height = max(1, round(w * scale)), max(1, round(h * scale))
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    small = np.zeros((SIDE, SIDE, 3), np.uint8)
    small[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small, scale, np.array([left, top], np.float64)


def anchors() -> Float[np.ndarray, "2254 2"]:
    """Centre (x, y) of each anchor, in sides of the image."""
    rows = []
    for stride, count in GRIDS:
        line = (np.arange(SIDE // stride) + 0.5) * stride / SIDE
        y, x = np.meshgrid(line, line, indexing="ij")
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), count, 0))
    return np.concatenate(rows)


def decoded(raw: Float[np.ndarray, "n 12"]) -> Float[np.ndarray, "n 8"]:
    """Corners of the face's box, then hips and top, in sides of the image: offsets from the anchors, in pixels."""
    center = anchors()
    points = raw.reshape(-1, 6, 2) / SIDE
    middle, half = points[:, 0] + center, points[:, 1] / 2
    ends = points[:, 2:4] + center[:, None]
    return np.concatenate([middle - half, middle + half, ends[:, 0], ends[:, 1]], 1)


def merged(
    points: Float[np.ndarray, "n 8"], scores: Float[np.ndarray, " n"]
) -> list[tuple[float, Float[np.ndarray, "8"]]]:
    """Weighted non-maximum suppression: a detection is the mean, by score, of all that overlap the best one left."""
    keep = scores >= FEWEST
    order = np.argsort(-scores[keep], kind="stable")
    points, scores = points[keep][order], scores[keep][order]
    found = []
    while len(scores):
        same = overlaps(points[0, :4], points[:, :4]) > OVERLAP
        same[0] = True  # also where its box has no area
        found.append((float(scores[0]), np.average(points[same], 0, scores[same])))
        points, scores = points[~same], scores[~same]
    return found


def overlaps(box: Float[np.ndarray, "4"], boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Intersection over union of a box (left, top, right, bottom) with each of others."""
    size = np.clip(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0, None)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(1)
    own = np.clip(box[2:] - box[:2], 0, None).prod()
    inner = size.prod(1)
    return inner / np.maximum(own + areas - inner, 1e-12)

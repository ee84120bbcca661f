"""The photograph beside the body: close up or whole, with the outlines of person and object."""

import html
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from hoijax.data.sample import Sample

LONG_SIDE = 2048  # pixels of the picture that the browser gets
CLOSE = 0.12  # room around person and object in the close-up, in long sides of their box
COLORS = {"human": "#4ea1ff", "object": "#ff9d3c"}


class Photo(NamedTuple):
    """A picture for the browser; boxes (x, y, width, height) and outlines are in pixels of the photograph itself."""

    image: UInt8[np.ndarray, "h w 3"]
    whole: tuple[float, float, float, float]
    close: tuple[float, float, float, float]
    outlines: dict[str, str]


def photo_of(sample: Sample) -> Photo:
    """The sample's photograph, made smaller where it is large."""
    h, w = sample.image.shape[:2]
    scale = min(1.0, LONG_SIDE / max(h, w))
    size = max(1, round(w * scale)), max(1, round(h * scale))
    image = cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA) if scale < 1 else sample.image
    masks = {"human": sample.human_mask, "object": sample.object_mask}
    whole = (0.0, 0.0, float(w), float(h))
    return Photo(image, whole, close_box(masks["human"] | masks["object"]), {k: outline(m) for k, m in masks.items()})


def close_box(mask: Bool[np.ndarray, "h w"]) -> tuple[float, float, float, float]:
    """The mask's box with some room, inside of the picture; the whole picture where the mask is empty."""
    h, w = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return (0.0, 0.0, float(w), float(h))
    room = CLOSE * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    x0, y0 = max(0.0, columns[0] - room), max(0.0, rows[0] - room)
    x1, y1 = min(float(w), columns[-1] + 1 + room), min(float(h), rows[-1] + 1 + room)
    return (float(x0), float(y0), float(x1 - x0), float(y1 - y0))


def outline(mask: Bool[np.ndarray, "h w"]) -> str:
    """The mask's contours as an SVG path."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    slack = 0.0008 * max(mask.shape)
    lines = [cv2.approxPolyDP(contour, slack, True)[:, 0] + 0.5 for contour in found if len(contour) > 2]
    return " ".join("M" + " L".join(f"{x:g},{y:g}" for x, y in line) + "Z" for line in lines)


def svg(photo: Photo, url: str, close: bool, lines: bool) -> str:
    """The photograph as an SVG element that fills its place."""
    x, y, w, h = photo.close if close else photo.whole
    _, _, whole_w, whole_h = photo.whole
    image = f'<image href="{html.escape(url)}" x="0" y="0" width="{whole_w:g}" height="{whole_h:g}"/>'
    path = '<path d="{}" fill="none" stroke="{}" stroke-width="2" stroke-opacity="0.9" vector-effect="non-scaling-stroke"/>'
    drawn = [path.format(d, COLORS[name]) for name, d in photo.outlines.items() if lines and d]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:g} {y:g} {w:g} {h:g}" preserveAspectRatio="xMidYMid meet"'
        f' style="position:absolute;inset:0;width:100%;height:100%">{image}{"".join(drawn)}</svg>'
    )

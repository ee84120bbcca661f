"""Contact sheets: a template library, and the matches of a mask."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw

from hoijax.data.meshfile import load_any_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.data.template_search import Matches
from hoijax.data.templates import Library, Template
from hoijax.report.overlay import on_white
from hoijax.report.raycast import cast, side_view, solid

CELL, CAPTION = 180, 34  # pixels: side of a picture, height of the two lines below it
COLUMNS = 8
# Rows right, down, away: a frame whose y is up, from its front left and a little above.
THREE_QUARTER = np.array([[0.82, 0.0, -0.57], [0.17, -0.95, 0.25], [-0.55, -0.30, -0.78]])

Tile = UInt8[np.ndarray, "h w 3"]


def library_sheet(library: Library, columns: int = COLUMNS) -> Tile:
    """Every template in its own frame, seen from its front left; category and name below it."""
    tiles = []
    for template in library.templates:
        mesh = load_any_mesh(library.folder / template.file)
        tiles.append(_captioned(template_tile(mesh), template, f"{template.faces} faces"))
    return _sheet(tiles, columns)


def match_sheet(
    library: Library,
    found: Matches,
    image: Tile,
    object_mask: Bool[np.ndarray, "h w"],
    hidden: Bool[np.ndarray, "h w"] | None = None,
) -> Tile:
    """The photograph about the mask (object red, what hides it blue), then the matches, turned as found."""
    tiles = [_labelled(_mask_tile(image, object_mask, hidden), "mask", found.by)]
    for match in found.matches:
        mesh = load_any_mesh(library.folder / match.template.file)
        caption = f"IoU {match.score:.2f}, trust {match.trust:.2f}"
        tiles.append(_captioned(mesh_tile(mesh, match.rotation), match.template, caption))
    return _sheet(tiles, len(tiles))


def template_tile(mesh: ColoredMesh) -> Tile:
    """A mesh in its own frame, y up, seen from its front left and a little above."""
    return mesh_tile(mesh, _orthonormal(THREE_QUARTER))


def mesh_tile(mesh: ColoredMesh, rotation: Float[np.ndarray, "3 3"]) -> Tile:
    """A mesh along the rows of a rotation (right, down, away), orthographic, on white."""
    shape = solid([mesh])
    seen = cast(shape, side_view(rotation, np.asarray(mesh.verts, np.float64), (CELL, CELL)))
    rgba = np.concatenate([seen.rgb / np.maximum(seen.alpha, 1e-6)[..., None], seen.alpha[..., None]], -1)
    return on_white(np.clip(np.rint(255 * rgba), 0, 255).astype(np.uint8))


def _orthonormal(rows: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation next to a matrix."""
    u, _, vt = np.linalg.svd(rows)
    return u @ vt


def _mask_tile(image: Tile, mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"] | None) -> Tile:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    side = int(1.2 * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)) + 2
    middle = np.array([columns[0] + columns[-1], rows[0] + rows[-1]]) / 2
    scale = CELL / side
    place = np.array([[scale, 0, CELL / 2 - scale * middle[0]], [0, scale, CELL / 2 - scale * middle[1]]])
    tinted = image.astype(np.float32)
    if hidden is not None:
        tinted[hidden] = 0.6 * tinted[hidden] + 0.4 * np.array([40, 90, 220])
    tinted[mask] = 0.5 * tinted[mask] + 0.5 * np.array([230, 60, 40])
    return cv2.warpAffine(tinted, place, (CELL, CELL), borderValue=(255, 255, 255)).astype(np.uint8)


def _captioned(tile: Tile, template: Template, second: str) -> Tile:
    first = template.category if template.name == template.category.replace(" ", "_") else template.name
    return _labelled(tile, first, second)


def _labelled(tile: Tile, first: str, second: str) -> Tile:
    page = Image.new("RGB", (CELL, CELL + CAPTION), "white")
    page.paste(Image.fromarray(tile))
    pen = ImageDraw.Draw(page)
    for row, text in enumerate((first, second)):
        pen.text(
            (CELL // 2, CELL + 9 + 15 * row), text[:30], fill=(30, 30, 30) if row == 0 else (110, 110, 110), anchor="mm"
        )
    return np.asarray(page)


def _sheet(tiles: Sequence[Tile], columns: int) -> Tile:
    blank = np.full_like(tiles[0], 255)
    rows = [[*tiles[k : k + columns]] for k in range(0, len(tiles), columns)]
    rows[-1] += [blank] * (columns - len(rows[-1]) if len(rows) > 1 else 0)
    return np.concatenate([np.concatenate(row, 1) for row in rows])

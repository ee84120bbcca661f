"""Which template an object is, and which way round, from its category and its mask alone.

A silhouette tells neither size nor depth, hardly front from back, and nothing about turns of what is round: a match is a
start for the optimizer, not an answer.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hoijax.coarse.outline_fit import best_outline
from hoijax.coarse.turn import small_grid
from hoijax.coarse.view import Eye, mask_box, mesh_depth
from hoijax.data.meshfile import load_any_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.data.sources.hico_names import plain_name
from hoijax.data.templates import SIDE, VIEWS, Library, Template, surface_points
from hoijax.mesh.rotation_search import nearby_rotations, ranked, silhouette_overlaps, uniform_rotations

SHORTLIST = 40  # templates whose silhouettes are compared outside of what hides the object; the others by box alone
NEAR, NEAR_DEGREES, CENTERS = 60, 15.0, 6  # rotations tried around each of the best
FINALISTS = 6  # rotations of each template whose silhouettes are drawn exactly
CUTOUT = 160  # pixels of the square about the mask in which they are
TRUST = {"category": 1.0, "synonym": 0.9, "everything": 0.5}  # how much a score of such a search is worth

# Other names of common categories; a library's own library.json says more.
SYNONYMS = {
    "sofa": "couch",
    "bike": "bicycle",
    "motorbike": "motorcycle",
    "cellular telephone": "cell phone",
    "mobile phone": "cell phone",
    "telephone": "cell phone",
    "table": "dining table",
    "desk": "dining table",
    "plant": "potted plant",
    "flowerpot": "potted plant",
    "mug": "cup",
    "coffee cup": "cup",
    "football": "sports ball",
    "baseball": "sports ball",
    "racket": "tennis racket",
    "bat": "baseball bat",
    "rucksack": "backpack",
    "bag": "handbag",
    "television": "tv",
    "notebook computer": "laptop",
    "stool": "chair",
    "armchair": "chair",
    "pony": "horse",
}


class Match(NamedTuple):
    """A template that looks like the mask when turned by `rotation` (x' = R x, camera axes). `score` is the IoU.

    `trust`: the score times what the search is worth (TRUST).
    """

    template: Template
    rotation: Float[np.ndarray, "3 3"]
    score: float
    trust: float


class Matches(NamedTuple):
    """The best match of each template, best first; `by` is a key of TRUST, `note` a sentence about what was searched."""

    matches: tuple[Match, ...]
    by: str
    note: str


class _Cutout(NamedTuple):
    """The mask and what hides the object, sampled in a square about the mask."""

    mask: Bool[np.ndarray, "n n"]
    hidden: Bool[np.ndarray, "n n"]


def nearest_templates(
    library: Library,
    category: str | None,
    object_mask: Bool[np.ndarray, "h w"],
    k: int = 5,
    hidden: Bool[np.ndarray, "h w"] | None = None,
) -> Matches:
    """The k templates whose silhouette fits the mask best, of the category, of its synonym, or else of all.

    `hidden`: pixels where something before the object may hide it (the person's mask); they do not count, nor does what
    lies outside of the image where the mask reaches its edge. More templates than SHORTLIST are first compared by what is
    in their boxes. Raises ValueError for an empty mask or library.
    """
    if not object_mask.any():
        raise ValueError("the object's mask is empty: no pixel is inside")
    if not library.templates:
        raise ValueError(f"{library.folder}: the library holds no template")
    covered = np.zeros_like(object_mask) if hidden is None else hidden & ~object_mask
    object_mask, covered = _with_surroundings(object_mask, covered)
    which, by, note = _candidates(library, category)
    if len(which) > SHORTLIST:
        coarse = view_overlaps(library.views[which], object_mask, covered).max(1)
        which = which[np.argsort(-coarse, kind="stable")[:SHORTLIST]]
        note += f"; the {SHORTLIST} most alike in their boxes were compared further"
    cut = _cutout(object_mask, covered)
    found = [_best(library, library.templates[i], cut, TRUST[by]) for i in which]
    return Matches(tuple(sorted(found, key=lambda match: -match.score)[:k]), by, note)


def known_category(library: Library, category: str) -> str | None:
    """The library's name of a category: itself, or what the library or SYNONYMS call it; None where it has none."""
    names = {template.category for template in library.templates}
    plain = plain_name(category)
    for candidate in (plain, library.synonyms.get(plain), SYNONYMS.get(plain)):
        if candidate in names:
            return candidate
    back = {other for table in (library.synonyms, SYNONYMS) for other, name in table.items() if name == plain}
    return next(iter(sorted(back & names)), None)


def view_overlaps(
    views: UInt8[np.ndarray, "t r b"], mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "t r"]:
    """IoU of packed silhouettes with the mask in a square about its box, outside of `hidden`."""
    target, blind = (np.packbits(cells.ravel()) for cells in _boxed(mask, hidden))
    goal, seen = target & ~blind, views & ~blind
    both = np.bitwise_count(seen & goal).sum(-1, dtype=np.int64)
    either = np.bitwise_count(seen | goal).sum(-1, dtype=np.int64)
    return both / np.maximum(either, 1)


def _with_surroundings(
    mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"]
) -> tuple[Bool[np.ndarray, "a b"], Bool[np.ndarray, "a b"]]:
    """Both with a margin in which nothing can be seen, if the mask touches the image's edge: the object may go on there."""
    edges = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    if not any(edge.any() for edge in edges):
        return mask, hidden
    margin = max(mask.shape)
    return np.pad(mask, margin), np.pad(hidden, margin, constant_values=True)


def _candidates(library: Library, category: str | None) -> tuple[Int[np.ndarray, " n"], str, str]:
    """Which templates to compare, why these, and a sentence."""
    name = None if category is None else known_category(library, category)
    if name is None:
        asked = "no category given" if category is None else f"no template of category {category!r}"
        count = len(library.templates)
        return np.arange(count), "everything", f"{asked}: all {count} templates compared, trust them less"
    which = np.flatnonzero([template.category == name for template in library.templates])
    by = "category" if name == plain_name(category or "") else "synonym"
    called = "" if by == "category" else f" (for {category!r})"
    return which, by, f"{len(which)} templates of category {name!r}{called} compared"


def _best(library: Library, template: Template, cut: _Cutout, worth: float) -> Match:
    """The rotation in which the template's silhouette, in its best size and place, fits the mask best.

    Silhouettes of points are quick but lack thin parts and edges: those of the best rotations are drawn exactly.
    """
    mesh = load_any_mesh(library.folder / template.file)
    points, far = surface_points(mesh), jnp.float32(0.0)
    grid = small_grid(cut.mask, cut.hidden)
    everywhere = uniform_rotations(VIEWS)
    centers = everywhere[ranked(silhouette_overlaps(points, everywhere, grid, far), CENTERS)]
    around = nearby_rotations(NEAR, float(np.radians(NEAR_DEGREES)))
    tried = (around[None] @ centers[:, None]).reshape(-1, 3, 3)
    first = ranked(silhouette_overlaps(points, tried, grid, far), FINALISTS)
    finalists = np.asarray(tried[first], np.float64)
    scores = [_exact_overlap(mesh, turn, cut) for turn in finalists]
    best = int(np.argmax(scores))
    return Match(template, finalists[best], scores[best], scores[best] * worth)


def _cutout(mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"]) -> _Cutout:
    """CUTOUT pixels square about the mask, whose longer side takes half of them."""
    box = mask_box(mask)
    step = 2 * max(box.right - box.left, box.bottom - box.top) / CUTOUT
    corner = np.array([box.left + box.right, box.top + box.bottom]) / 2 - step * CUTOUT / 2
    small, behind = _sampled((mask, hidden), corner, step, CUTOUT)
    return _Cutout(small if small.any() else np.ones_like(small), behind)


def _exact_overlap(mesh: ColoredMesh, rotation: Float[np.ndarray, "3 3"], cut: _Cutout) -> float:
    """IoU of the mask with the mesh's silhouette from afar, in its best size and place, outside of what is hidden."""
    turned = mesh.verts[np.unique(mesh.faces)].astype(np.float64) @ rotation.T
    low, high = turned.min(0), turned.max(0)
    box = mask_box(cut.mask)
    diagonal = np.hypot(box.right - box.left, box.bottom - box.top) / max(np.hypot(*(high - low)[:2]), 1e-12)
    verts = diagonal * (mesh.verts.astype(np.float64) @ rotation.T - (low + high) / 2)
    away = 100.0 * CUTOUT  # in pixels, so far that sizes do not depend on depth
    eye = Eye(np.array([away, away]), np.array([box.left + box.right, box.top + box.bottom]) / 2, cut.mask.shape)
    silhouette = mesh_depth(verts + [0, 0, away], mesh.faces, eye) > 0
    return best_outline(silhouette, cut.mask, cut.hidden, box)[2] if silhouette.any() else 0.0


def _boxed(mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"]) -> Sequence[Bool[np.ndarray, "n n"]]:
    """Mask and what hides it, on SIDE x SIDE cells of which the mask's longer side takes all."""
    box = mask_box(mask)
    step = max(box.right - box.left, box.bottom - box.top) / SIDE
    corner = np.array([box.left + box.right, box.top + box.bottom]) / 2 - step * SIDE / 2
    return _sampled((mask, hidden), corner, step, SIDE)


def _sampled(
    images: Sequence[Bool[np.ndarray, "h w"]], corner: Float[np.ndarray, "2"], step: float, side: int
) -> Sequence[Bool[np.ndarray, "n n"]]:
    """A square of side x side cells, each `step` pixels wide, from `corner` (x, y); a cell is inside where most of it is."""
    import cv2

    shift = corner + 0.5 * step - 0.5
    matrix = np.array([[step, 0, shift[0]], [0, step, shift[1]]])
    width = (2 * int(step // 2) + 1,) * 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    blurred = (cv2.blur(image.astype(np.float32), width) for image in images)
    return [cv2.warpAffine(image, matrix, (side, side), flags=flags) > 0.5 for image in blurred]

"""The steps that need nothing but pip: the person's mask and body from small networks, the object's mask from its box."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from hoijax.body.builtin import builtin_body
from hoijax.data.objfile import GREY, save_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.data.strict_json import save_json
from hoijax.data.write import parameters
from hoijax.photo.box_mask import SPARSE, box_mask
from hoijax.photo.models import Models, PhotoError, load_models
from hoijax.photo.people import Person, people, the_person
from hoijax.photo.person_body import fit_body
from hoijax.pipeline.engine import Engine, boxes, engine
from hoijax.pipeline.given import photograph, save_mask, saved_mask
from hoijax.pipeline.item import Item

Point = tuple[float, float]  # x, y in pixels


@cache
def models() -> Models:
    """The networks, loaded once in a process. Raises PhotoError."""
    return load_models()


def lacks() -> str:
    """Why the networks cannot be loaded here; empty when they can."""
    try:
        models()
    except (PhotoError, OSError) as error:
        return str(error)
    return ""


def found_person(item: Item) -> Person:
    """The person in the item's box, or the only one. Raises PhotoError."""
    return the_person(people(photograph(item), models()), item.human_box)


def person_mask() -> Engine:
    """The person's mask, from the network that finds their landmarks."""

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        found = found_person(item)
        save_mask(folder / "person_mask.png", found.mask)
        return ()

    return engine("landmark network", "person_mask", ("image",), {}, make, about=boxes, lacks=lacks)


def object_mask(on: Sequence[Point] = (), off: Sequence[Point] = ()) -> Engine:
    """The object's mask, by GrabCut in its box. Clicks (x, y), in pixels: `on` the object, `off` it."""

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        if item.object_box is None:
            raise PhotoError("no box of the object is given, and no mask")
        person = saved_mask(item, "person_mask").astype(np.float64)
        clicks = (np.array(points, np.float64).reshape(-1, 2) for points in (on, off))
        mask = box_mask(photograph(item), item.object_box, person, *clicks)
        save_mask(folder / "object_mask.png", mask)
        left, top, right, bottom = np.round(item.object_box).astype(int)
        free = (person[max(top, 0) : bottom, max(left, 0) : right] <= 0.5).sum()
        share = mask.sum() / max(free, 1)
        return (f"it fills {share:.0%} of its box: look whether that is all of it",) if share < SPARSE else ()

    clicked = {"on": [list(point) for point in on], "off": [list(point) for point in off]}
    return engine("GrabCut", "object_mask", ("image", "person_mask"), clicked, make, about=boxes)


def human(focal_px: float | None = None) -> Engine:
    """The built-in body fitted to landmarks and mask; `focal_px`: of the photograph, None for a natural one."""

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        person = found_person(item)._replace(mask=saved_mask(item, "person_mask"))
        body = builtin_body()
        fitted = fit_body(body, person, focal_px, saved_mask(item, "object_mask"))
        offset = np.asarray(fitted.pose.translation, np.float64)
        rgb = np.full(fitted.verts.shape, GREY, np.float32)
        mesh = ColoredMesh((fitted.verts - offset).astype(np.float32), np.asarray(body.faces), rgb)
        save_mesh(folder / "h_mesh.obj", mesh)
        save_json(folder / "smplx_parameters.json", parameters(fitted.pose, fitted.camera))
        apart = fitted.error_px[fitted.seen]
        notes = [f"{fitted.seen.sum()} of {len(fitted.seen)} landmarks seen, median error {np.median(apart):.1f} px"]
        if not fitted.seen.all():
            notes.append(f"not seen, so guessed: {', '.join(fitted.unseen_names())}")
        return tuple(notes)

    needs = ("image", "person_mask", "object_mask")
    return engine("landmarks", "human", needs, {"focal_px": focal_px}, make, about=boxes, lacks=lacks)

"""The steps that are our own: the photograph made upright, the object cut out, placed, and the sample written."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from hoijax.coarse.place import Coarse, CoarseOptions, coarse_placement
from hoijax.coarse.without_depth import placement_without_depth
from hoijax.data.images import load_depth, load_photo
from hoijax.data.measure import moved
from hoijax.data.objfile import load_mesh, save_mesh
from hoijax.data.parameters import load_parameters
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.strict_json import save_json
from hoijax.data.write import JPEG_QUALITY, save_sample
from hoijax.pipeline.engine import Engine, Make, boxes, category, engine
from hoijax.pipeline.given import photograph, saved_mask
from hoijax.pipeline.item import Item
from hoijax.types import Camera, HumanPose

SWALLOWED = 0.5  # of the person's mask in the object's: the object's is the wrong one
MARGIN = 0.1  # of the object's longer side, around it in its square picture


def image_engine() -> Engine:
    """The photograph as everything after it sees it: upright, RGB."""
    return engine("upright", "image", (), {}, upright, about=photo_file)


def crop_engine() -> Engine:
    """The object as far as it is seen, on a transparent ground: nothing that is hidden is made up."""
    return engine("crop", "complete", ("image", "object_mask"), {}, visible_object)


def coarse_engine(options: CoarseOptions, size: float | None, with_depth: bool) -> Engine:
    """The object's start pose: from the depth map, or without one from `size` (metres) or the person's depth."""
    needs = ("image", "person_mask", "object_mask", "human", "mesh", *(["depth"] if with_depth else []))
    values: dict[str, Any] = {**asdict(options), "size": None if with_depth else size}

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        return placed_object(item, folder, options, size, with_depth)

    return engine("depth" if with_depth else "no depth", "coarse", needs, values, make)


def sample_engine(with_depth: bool) -> Engine:
    """The sample folder."""
    needs = ("image", "person_mask", "object_mask", "human", "coarse", *(["depth"] if with_depth else []))
    make: Make = lambda item, folder: whole_sample(item, folder, with_depth)  # noqa: E731
    return engine("sample", "sample", needs, {}, make, about=labels)


def photo_file(item: Item) -> Mapping[str, Any]:
    """Which file the photograph is, and whether it has been changed: not read, as there may be a hundred thousand."""
    try:
        found = item.photo.stat()
    except OSError:
        return {"photo": [str(item.photo), None, None]}
    return {"photo": [str(item.photo), found.st_size, found.st_mtime_ns]}


def labels(item: Item) -> Mapping[str, Any]:
    """What a sample says of itself."""
    return {**boxes(item), **category(item), "actions": list(item.actions)}


def upright(item: Item, folder: Path) -> tuple[str, ...]:
    """The file itself where it is a JPEG that shows the same pixels to every reader, else a new one."""
    notes: list[str] = []
    pixels = load_photo(item.photo, lambda _, message: notes.append(message))
    with Image.open(item.photo) as stored:
        plain = stored.format == "JPEG" and stored.mode == "RGB" and stored.getexif().get(0x0112, 1) == 1
    if plain:
        (folder / "image.jpg").write_bytes(item.photo.read_bytes())
    else:
        Image.fromarray(pixels).save(folder / "image.jpg", quality=JPEG_QUALITY, subsampling=0)
    return tuple(notes)


def visible_object(item: Item, folder: Path) -> tuple[str, ...]:
    """The object's pixels in a square around it; alpha is its mask."""
    picture = cut_out(photograph(item), saved_mask(item, "object_mask"))
    Image.fromarray(picture).save(folder / "object.png")
    return ()


def cut_out(image: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "s s 4"]:
    """A square RGBA picture around the mask, transparent outside of it and beyond the image."""
    left, top, side = square_around(mask)
    picture = np.zeros((side, side, 4), np.uint8)
    h, w = mask.shape
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, w), min(top + side, h)
    inside = picture[y0 - top : y1 - top, x0 - left : x1 - left]
    inside[..., :3] = image[y0:y1, x0:x1]
    inside[..., 3] = mask[y0:y1, x0:x1] * np.uint8(255)
    return picture


def square_around(mask: Bool[np.ndarray, "h w"]) -> tuple[int, int, int]:
    """Left, top and side (pixels) of the square around a mask with its margin; it may reach beyond the image."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    side = round(max(w, h) * (1 + 2 * MARGIN))
    return x + w // 2 - side // 2, y + h // 2 - side // 2, side


class Masks(NamedTuple):
    """Two masks without a common pixel, and what had to be decided."""

    human: Bool[np.ndarray, "h w"]
    object: Bool[np.ndarray, "h w"]
    notes: tuple[str, ...]


def disjoint_masks(item: Item) -> Masks:
    """The two masks; a pixel of both is the object's, as masks of people take in what is carried before the body.

    Unless that were more than half of the person: then the object's mask has swallowed the person, not the other way round.
    Raises SampleError where nothing of one of them is left.
    """
    human, thing = saved_mask(item, "person_mask"), saved_mask(item, "object_mask")
    both = human & thing
    if not both.any():
        return Masks(human, thing, ())
    share = both.sum() / human.sum()
    to_human = share > SWALLOWED
    human, thing = (human, thing & ~both) if to_human else (human & ~both, thing)
    for step, mask, other in (("person_mask", human, "object"), ("object_mask", thing, "person")):
        if not mask.any():
            raise SampleError(item.file(step), f"shows nothing but what is also in the {other}'s mask")
    winner = "person" if to_human else "object"
    return Masks(
        human, thing, (f"{share:.0%} of the person's mask is in the object's too, and was given to the {winner}",)
    )


class Person(NamedTuple):
    """What the step `human` left."""

    pose: HumanPose
    camera: Camera
    mesh: ColoredMesh

    @property
    def verts(self) -> Float[np.ndarray, "v 3"]:
        """In the camera frame."""
        return self.mesh.verts.astype(np.float64) + np.asarray(self.pose.translation, np.float64)


def person(item: Item) -> Person:
    """Pose, camera and mesh."""
    pose, camera = load_parameters(item.file("human", 0))
    return Person(pose, camera, load_mesh(item.file("human", 1)))


def placed_object(
    item: Item, folder: Path, options: CoarseOptions, size: float | None, with_depth: bool
) -> tuple[str, ...]:
    """The mesh at its start (without cam_trans), and coarse.json with the similarity that took it there."""
    human, mesh = person(item), load_mesh(item.file("mesh"))
    both = disjoint_masks(item)
    masks = both.human, both.object
    meshes = human.verts, human.mesh.faces, mesh.verts.astype(np.float64), mesh.faces, human.camera
    if with_depth:
        found = coarse_placement(*meshes, load_depth(item.file("depth"), lambda *_: None), *masks, options)
    else:
        found = placement_without_depth(*meshes, *masks, size, options)
    offset = np.asarray(human.pose.translation, np.float64)
    start = moved(mesh, found.scale, found.rotation, found.translation - offset, np.zeros(3))
    save_mesh(folder / "object.obj", start)
    save_json(folder / "coarse.json", _plain(found), {"depth_scale": "no depth map", "depth_shift": "no depth map"})
    return found.notes


def whole_sample(item: Item, folder: Path, with_depth: bool) -> tuple[str, ...]:
    """Everything in the Open3DHOI layout, as `load_sample` reads it."""
    human = person(item)
    masks = disjoint_masks(item)
    sample = Sample(
        name=item.id,
        folder=item.folder("image"),
        image=photograph(item),
        human_mask=masks.human,
        object_mask=masks.object,
        camera=human.camera,
        pose=human.pose,
        human=human.mesh,
        object=load_mesh(item.folder("coarse") / "object.obj"),
        depth=load_depth(item.file("depth"), lambda *_: None) if with_depth else None,
        human_box=item.human_box,
        object_box=item.object_box,
        category=item.category,
        action=item.actions[0] if item.actions else None,
    )
    save_sample(sample, folder / "whole")
    for path in sorted((folder / "whole").iterdir()):
        path.rename(folder / path.name)
    (folder / "whole").rmdir()
    pair = {"photo": str(item.photo), "category": item.category, "actions": list(item.actions)}
    (folder / "source.json").write_text(json.dumps(pair, indent=1) + "\n", encoding="utf-8")
    return masks.notes


def _plain(found: Coarse) -> dict[str, Any]:
    return {name: list(value) if name == "notes" else value for name, value in found._asdict().items()}

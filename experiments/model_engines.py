"""Other people's models as engines of the pipeline: inputs are written as files, the wrapper runs, its folder is kept."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from hoijax.data.atomic import new_folder, save_bytes
from hoijax.data.sample import SampleError
from hoijax.pipeline.engine import FAULTS, About, Ending, Engine, Tell, boxes, category, nothing, told
from hoijax.pipeline.given import photograph, save_mask, saved_mask
from hoijax.pipeline.item import Item
from hoijax.pipeline.makes import cut_out, square_around
from third_party_wrappers.amodal.wrapper import WRAPPER as AMODAL
from third_party_wrappers.contract import Job, Outcome, Tool, Wrapper, run
from third_party_wrappers.inpaint.wrapper import WRAPPER as INPAINT
from third_party_wrappers.instantmesh.wrapper import WRAPPER as INSTANTMESH
from third_party_wrappers.osx.wrapper import WRAPPER as OSX
from third_party_wrappers.probe import missing
from third_party_wrappers.sam.wrapper import WRAPPER as SAM
from third_party_wrappers.zoedepth.wrapper import WRAPPER as ZOEDEPTH

Tools = Mapping[str, Tool]
# The input files of a job, by the names that its wrapper declares, and its options. May raise ValueError or OSError.
Prepare = Callable[[Item], tuple[Mapping[str, Path], Mapping[str, Any]]]

INPAINT_SIDE = 512  # pixels: what Stable Diffusion was trained on
GROWN_PX = 5  # of that side: how far the part to be filled reaches over its rim


def person_mask(tools: Tools) -> Engine:
    """SAM, from the person's box."""
    return _modelled(
        SAM, tools, ("image",), lambda item: (_boxed(item, "person", item.human_box), {}), "person_mask", boxes
    )


def object_mask(tools: Tools) -> Engine:
    """SAM, from the object's box."""
    return _modelled(
        SAM, tools, ("image",), lambda item: (_boxed(item, "object", item.object_box), {}), "object_mask", boxes
    )


def human(tools: Tools) -> Engine:
    """OSX, from the person's box."""
    return _modelled(OSX, tools, ("image",), lambda item: (_boxed(item, "human", item.human_box), {}), "human", boxes)


def depth(tools: Tools) -> Engine:
    """ZoeDepth."""
    return _modelled(ZOEDEPTH, tools, ("image",), lambda item: ({"image": item.file("image")}, {}), "depth")


def mesh(tools: Tools, seed: int) -> Engine:
    """InstantMesh, from the complete object's picture."""
    values = {"seed": seed}
    made = _modelled(INSTANTMESH, tools, ("complete",), lambda item: ({"image": item.file("complete")}, values), "mesh")
    return made._replace(options={**made.options, **values})


def amodal(tools: Tools) -> Engine:
    """Amodal completion, from the visible object's mask."""

    def prepared(item: Item) -> tuple[Mapping[str, Path], Mapping[str, Any]]:
        inputs = {"image": item.file("image"), "mask": item.file("object_mask")}
        return inputs, {"prompt": item.category or "object"}

    return _modelled(AMODAL, tools, ("image", "object_mask"), prepared, "complete", category)


def inpaint(tools: Tools, seed: int) -> Engine:
    """Stable Diffusion, where the person stands before the object: inside the convex hull of what is seen of it."""
    tool = tools.get(INPAINT.name, Tool())

    def do(items: Sequence[Item], tell: Tell) -> None:
        jobs, of = [], {}
        for item in items:
            work = item.work / "complete.in"
            try:
                if not _hidden_part(item, work):
                    tell(_composed(item, None, 0.0))
                    continue
            except FAULTS as error:
                tell(Ending(item, told(error)))
                continue
            inputs = {"image": work / "image.png", "mask": work / "mask.png"}
            options = {"prompt": item.category or "object", "seed": seed}
            jobs.append(Job(inputs, item.work / "complete.out", options))
            of[jobs[-1].out.resolve()] = item

        def progress(outcome: Outcome) -> None:
            item = of[outcome.job.out.resolve()]
            if outcome.error is not None:
                tell(_ending(item, outcome))
            else:
                tell(_composed(item, outcome.job.out / "image.png", outcome.seconds))

        run(INPAINT, tool, jobs, overwrite=True, progress=progress)

    needs = ("image", "person_mask", "object_mask")
    return Engine("inpaint", needs, {**_weights(tool), "seed": seed}, do, category, lambda: _lacking(INPAINT, tool))


def _modelled(
    wrapper: Wrapper, tools: Tools, needs: Sequence[str], prepare: Prepare, step: str, about: About = nothing
) -> Engine:
    """The engine of a wrapper that makes the step's own folder. One that is not set up fails with what is missing."""
    tool = tools.get(wrapper.name, Tool())

    def do(items: Sequence[Item], tell: Tell) -> None:
        jobs, of = [], {}
        for item in items:
            try:
                inputs, options = prepare(item)
            except FAULTS as error:
                tell(Ending(item, told(error)))
                continue
            jobs.append(Job(inputs, item.folder(step), options))
            of[jobs[-1].out.resolve()] = item

        def progress(outcome: Outcome) -> None:
            tell(_ending(of[outcome.job.out.resolve()], outcome))

        run(wrapper, tool, jobs, overwrite=True, progress=progress)

    return Engine(wrapper.name, tuple(needs), _weights(tool), do, about, lambda: _lacking(wrapper, tool))


def _lacking(wrapper: Wrapper, tool: Tool) -> str:
    """What is missing for a model, as far as a look at the files tells."""
    found = missing(wrapper, tool)
    return f"{wrapper.name} cannot be run here: {'; '.join(found)} (see experiments/doctor.py)" if found else ""


def _ending(item: Item, outcome: Outcome) -> Ending:
    """How a model's job ended. A full disk is no item's fault: it ends the run."""
    if outcome.error is not None and os.strerror(errno.ENOSPC) in outcome.error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(item.out))
    return Ending(item, outcome.error, (), outcome.seconds)


def _weights(tool: Tool) -> dict[str, Any]:
    """What of a tool makes its results others: the weights' place, not the python that runs them."""
    return {"checkpoint": None if tool.checkpoint is None else str(tool.checkpoint)}


def _boxed(item: Item, name: str, box: Float[np.ndarray, "4"] | None) -> dict[str, Path]:
    """The photograph and a file with one box. Raises SampleError where there is no box."""
    if box is None:
        raise SampleError(item.photo, f"has no box of the {name}, which the model wants")
    boxes = item.work / f"box_{name}.json"
    save_bytes(boxes, json.dumps({name: [float(value) for value in box]}).encode())
    return {"image": item.file("image"), "boxes": boxes}


def _hidden_part(item: Item, work: Path) -> bool:
    """Writes the square around the object and what is to be filled there; False where nothing of it is hidden."""
    image, thing = photograph(item), saved_mask(item, "object_mask")
    hidden = hull(thing) & saved_mask(item, "person_mask") & ~thing
    if not hidden.any():
        return False
    left, top, side = square_around(thing | hidden)
    with new_folder(work, overwrite=True) as part:
        for name, layer in (("image", image), ("mask", hidden)):
            window = window_of(layer, left, top, side)
            size = (INPAINT_SIDE, INPAINT_SIDE)
            if name == "mask":
                grown = cv2.resize(window.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
                save_mask(part / "mask.png", cv2.dilate(grown, np.ones((GROWN_PX, GROWN_PX), np.uint8)) > 0)
            else:
                small = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
                Image.fromarray(small).save(part / "image.png")
    return True


def _composed(item: Item, filled: Path | None, seconds: float) -> Ending:
    """The object with its hidden part as filled (None: nothing is hidden), on a transparent ground."""
    try:
        image, thing = photograph(item), saved_mask(item, "object_mask")
        with new_folder(item.folder("complete"), overwrite=True) as part:
            if filled is None:
                picture, note = cut_out(image, thing), "nothing of it is hidden"
            else:
                hidden = hull(thing) & saved_mask(item, "person_mask") & ~thing
                left, top, side = square_around(thing | hidden)
                with Image.open(filled) as found:
                    whole = np.asarray(found.convert("RGB").resize((side, side)))
                alpha = window_of(thing | hidden, left, top, side)
                seen = window_of(thing, left, top, side)
                rgb = np.where(seen[..., None], window_of(image, left, top, side), whole)
                picture = np.dstack([rgb, alpha * np.uint8(255)]).astype(np.uint8)
                note = f"{hidden.sum() / (thing | hidden).sum():.0%} of it filled in"
            Image.fromarray(picture).save(part / "object.png")
        for spent in ("complete.in", "complete.out"):
            shutil.rmtree(item.work / spent, ignore_errors=True)
    except FAULTS as error:
        return Ending(item, told(error), (), seconds)
    return Ending(item, None, (note,), seconds)


def hull(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The convex hull of a mask: a guess of how far an object goes on behind what hides it."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    drawn = np.zeros(mask.shape, np.uint8)
    if points is not None:
        cv2.fillConvexPoly(drawn, cv2.convexHull(points), 1)
    return (drawn > 0) | mask


def window_of(layer: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """A square of an image or a mask; beyond its border the nearest pixel of an image, and nothing of a mask."""
    h, w = layer.shape[:2]
    around = (max(-top, 0), max(top + side - h, 0)), (max(-left, 0), max(left + side - w, 0))
    inside = layer[max(top, 0) : min(top + side, h), max(left, 0) : min(left + side, w)]
    if layer.dtype == bool:
        return np.pad(inside, around)
    return np.pad(inside, (*around, (0, 0)), mode="edge")

"""The flags that choose who does which step of the pipeline."""

import sys
from pathlib import Path

import model_engines
import wrapper_flags
from absl import flags

from hoijax.coarse.place import ROTATIONS, CoarseOptions
from hoijax.data.sample import SampleError
from hoijax.data.templates import load_library
from hoijax.pipeline import photo_engines
from hoijax.pipeline.engine import Engine
from hoijax.pipeline.plan import Choice, choice
from hoijax.pipeline.template_engine import template_engine

SETS = {
    "builtin": {"masks": "box", "human": "landmarks", "complete": "crop", "mesh": "templates", "depth": "none"},
    "paper": {"masks": "sam", "human": "osx", "complete": "amodal", "mesh": "instantmesh", "depth": "zoedepth"},
}
_MODELS = flags.DEFINE_enum("models", "builtin", list(SETS), "builtin: what pip installs; paper: the paper's models.")
_CHOICES = {
    "masks": (("box", "sam"), "The two masks: person segmentation and GrabCut in the object's box, or SAM."),
    "human": (("landmarks", "osx"), "The person: the built-in body fitted to landmarks and mask, or OSX."),
    "complete": (("crop", "inpaint", "amodal"), "The object's picture: what is seen; hidden part filled in; amodal."),
    "mesh": (("templates", "instantmesh"), "The object's mesh: the nearest of --library, or InstantMesh."),
    "depth": (("none", "zoedepth"), "The depth map: none (the person's depth places the object), or ZoeDepth."),
}
_FLAGS = {
    step: flags.DEFINE_enum(step, None, list(values), f"{about} Default: what --models says.")
    for step, (values, about) in _CHOICES.items()
}
_LIBRARY = flags.DEFINE_string("library", None, "Folder of templates (experiments/templates.py) for --mesh=templates.")
_ROTATION = flags.DEFINE_enum(
    "rotation", "search", list(ROTATIONS), "Which way round the object starts: as its mesh comes, or searched."
)
_SIZE = flags.DEFINE_float(
    "object_size", None, "The objects' longest side in metres, for images without a depth map.", lower_bound=0.001
)
_FOCAL = flags.DEFINE_float(
    "focal_px",
    None,
    "Focal length of the photographs in pixels for --human=landmarks; a natural one by default.",
    lower_bound=1,
)
_SEED = flags.DEFINE_integer("seed", 0, "Of the models that draw random numbers.")


def said(step: str) -> str:
    """Which engine was chosen for masks, human, complete, mesh, depth."""
    return _FLAGS[step].value or SETS[_MODELS.value][step]


def chosen() -> Choice:
    """The engine of each step. Exits with a sentence when a library cannot be used."""
    tools = wrapper_flags.tools()
    found: dict[str, Engine] = {}
    if said("masks") == "sam":
        found |= {"person_mask": model_engines.person_mask(tools), "object_mask": model_engines.object_mask(tools)}
    else:
        found |= {"person_mask": photo_engines.person_mask(), "object_mask": photo_engines.object_mask()}
    found["human"] = model_engines.human(tools) if said("human") == "osx" else photo_engines.human(_FOCAL.value)
    if said("complete") == "inpaint":
        found["complete"] = model_engines.inpaint(tools, _SEED.value)
    elif said("complete") == "amodal":
        found["complete"] = model_engines.amodal(tools)
    found["mesh"] = model_engines.mesh(tools, _SEED.value) if said("mesh") == "instantmesh" else _templates()
    if said("depth") == "zoedepth":
        found["depth"] = model_engines.depth(tools)
    return choice(found, CoarseOptions(rotation=_ROTATION.value), _SIZE.value)


def _templates() -> Engine:
    try:
        return template_engine(load_library(Path(_LIBRARY.value)) if _LIBRARY.value else None)
    except (SampleError, OSError) as error:
        sys.exit(f"--library: {error}")

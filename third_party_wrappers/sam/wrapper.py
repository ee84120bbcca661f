"""Segment Anything: masks from boxes."""

from collections.abc import Mapping
from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Check, Job, Tool, Wrapper


def outputs(job: Job) -> Mapping[str, Check]:
    return {f"{name}_mask.png": checks.mask_png for name in checks.boxes_of(job)}


def modules(tool: Tool) -> tuple[str, ...]:
    """transformers for a folder, the authors' package for a single file."""
    whole = tool.checkpoint is None or Path(tool.checkpoint).is_dir()
    return ("torch", "transformers" if whole else "segment_anything", "numpy", "PIL")


WRAPPER = Wrapper(
    name="sam",
    role="masks from boxes",
    main=Path(__file__).with_name("main.py"),
    inputs=("image", "boxes"),
    outputs=outputs,
    options={},
    modules=modules,
    without="a landmark network finds the person and GrabCut the object, or give masks of your own",
)

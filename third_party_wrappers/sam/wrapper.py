"""Segment Anything: masks from boxes."""

from collections.abc import Mapping
from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Check, Job, Wrapper


def outputs(job: Job) -> Mapping[str, Check]:
    return {f"{name}_mask.png": checks.mask_png for name in checks.boxes_of(job)}


WRAPPER = Wrapper(
    name="sam",
    role="masks from boxes",
    main=Path(__file__).with_name("main.py"),
    inputs=("image", "boxes"),
    outputs=outputs,
    options={},
    modules=("torch", "numpy", "PIL"),
    without="give masks of your own",
)

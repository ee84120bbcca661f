"""Amodal completion: the whole object, also where something stands before it or the frame cuts it."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="amodal",
    role="the object without what hides it",
    main=Path(__file__).with_name("main.py"),
    inputs=("image", "mask"),
    outputs=lambda job: {"object.png": checks.cutout_png, "amodal.json": checks.offset_json},
    options={"prompt": "object", "iterations": 5, "timestep": 35},
    modules=lambda tool: ("torch", "torchvision", "cv2", "omegaconf", "diffusers", "numpy", "PIL"),
    without="the object's visible part is used as it is, or inpainted",
    repository_files=("main.py", "classes.txt", "Grounded-Segment-Anything", "InstaOrder", "lama"),
    needs_checkpoint=False,  # the repository reads its own from places that it knows
    needs_gpu=True,
)

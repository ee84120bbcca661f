"""Stable Diffusion inpainting: fills a masked part of an image."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="inpaint",
    role="fills hidden or missing pixels",
    main=Path(__file__).with_name("main.py"),
    inputs=("image", "mask"),
    outputs=lambda job: {"image.png": checks.filled_png},
    options={"prompt": "", "steps": 50, "seed": 0, "guidance": 7.5},
    modules=lambda tool: ("torch", "transformers", "diffusers", "numpy", "PIL"),
    without="the object's visible part is used as it is",
)

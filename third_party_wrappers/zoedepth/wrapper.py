"""ZoeDepth: metric depth from one image."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="zoedepth",
    role="depth in metres",
    main=Path(__file__).with_name("main.py"),
    inputs=("image",),
    outputs=lambda job: {"depth.npy": checks.depth_npy},
    options={},
    modules=lambda tool: ("torch", "transformers", "numpy", "PIL"),
    without="the person's depth places the object, or give a depth map of your own",
)

"""CLIP: features of an image."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="clip",
    role="image features for the contact model",
    main=Path(__file__).with_name("main.py"),
    inputs=("image",),
    outputs=lambda job: {"clip.npy": checks.vector_npy(512, "projection_dim")},
    options={},
    modules=lambda tool: ("torch", "transformers", "numpy", "PIL"),
    without="nothing is lost but the learned contact model",
)

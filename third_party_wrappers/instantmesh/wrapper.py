"""InstantMesh: a mesh with vertex colours from a picture of one object."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="instantmesh",
    role="the object's mesh",
    main=Path(__file__).with_name("main.py"),
    inputs=("image",),
    outputs=lambda job: {"mesh.obj": checks.mesh_obj(colours=True)},
    options={"steps": 75, "seed": 42},
    modules=lambda tool: (
        "torch",
        "torchvision",
        "diffusers",
        "transformers",
        "nvdiffrast",
        "omegaconf",
        "numpy",
        "PIL",
    ),
    without="give a mesh of your own, or take one from a library of templates",
    repository_files=("run.py", "configs/instant-mesh-large.yaml", "zero123plus/pipeline.py"),
    needs_checkpoint=False,  # without one the repository looks into its own ckpts/ and the download cache
    needs_gpu=True,
)

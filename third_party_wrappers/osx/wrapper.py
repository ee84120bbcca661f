"""OSX: the person's SMPL-X pose, shape and camera from an image and a box."""

from collections.abc import Mapping
from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Check, Job, OutputError, Wrapper


def outputs(job: Job) -> Mapping[str, Check]:
    if "boxes" in job.inputs and "human" not in checks.boxes_of(job):
        raise OutputError(Path(job.inputs["boxes"]), 'has no box called "human"')
    return {"smplx_parameters.json": checks.smplx_json, "h_mesh.obj": checks.mesh_obj()}


WRAPPER = Wrapper(
    name="osx",
    role="the person as SMPL-X",
    main=Path(__file__).with_name("main.py"),
    inputs=("image", "boxes"),
    outputs=outputs,
    options={},
    modules=lambda tool: ("torch", "torchvision", "cv2", "mmcv", "mmpose", "numpy", "PIL"),
    without="the built-in body is fitted to landmarks, or give smplx_parameters.json and h_mesh.obj",
    repository_files=("main/OSX.py", "main/config.py", "common/base.py"),
    needs_gpu=True,
)

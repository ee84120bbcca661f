"""A sample: one photograph with what is known of its person and object, as read from an Open3DHOI folder."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hoijax.types import Camera, HumanPose

# How a reader reports what it had to bend: the file, and one sentence about it.
Warn = Callable[[Path, str], None]


class SampleError(ValueError):
    """A file or folder that cannot be used: which one, what was found there and what was expected, in one sentence."""

    def __init__(self, file: str | os.PathLike[str], message: str) -> None:
        super().__init__(file, message)
        self.file = Path(file)
        self.message = message

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


class ColoredMesh(NamedTuple):
    """Triangles as a file holds them (numpy, no padding). `rgb` in [0, 1]; mid-grey where the file has no colours."""

    verts: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    rgb: Float[np.ndarray, "v 3"]


class HumanTruth(NamedTuple):
    """The annotated person: parameters with a place of their own, and the mesh in the frame of the sample's other ones.

    The mesh has the vertex order of the given one; add the given person's translation to project it.
    """

    pose: HumanPose
    mesh: ColoredMesh


class Sample(NamedTuple):
    """One Open3DHOI sample on the host, at the photograph's own size (h, w).

    Meshes are as stored: in metres, without the human's camera translation (`pose.translation`); add it to project.
    `object` is the coarse start, `truth` the annotated object with the same vertex order (when the two cannot be
    brought into one order, `warnings` says so and `truth` stands as its file holds it). `human_truth` is the annotated
    person where the given one is not the truth. Depth is in metres, 0 where
    unknown. Optional entries are None where the folder has no such file. `warnings` are what the reader had to bend,
    one sentence each.
    """

    name: str
    folder: Path
    image: UInt8[np.ndarray, "h w 3"]
    human_mask: Bool[np.ndarray, "h w"]
    object_mask: Bool[np.ndarray, "h w"]
    camera: Camera
    pose: HumanPose
    human: ColoredMesh
    object: ColoredMesh
    truth: ColoredMesh | None = None
    depth: Float[np.ndarray, "h w"] | None = None
    human_box: Float[np.ndarray, "4"] | None = None
    object_box: Float[np.ndarray, "4"] | None = None
    contact_parts: tuple[str, ...] | None = None
    category: str | None = None
    action: str | None = None
    warnings: tuple[str, ...] = ()
    human_truth: HumanTruth | None = None

"""The point cloud that a 3D language model sees: the person black, the object in its own colours."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from hoijax.data.sample import ColoredMesh, Sample, SampleError

# Turns our frame (x right, y down, z forward) upright; the person who faces the camera then faces +z, or -y.
UPRIGHT = {
    "y": np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]),
    "z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}


@dataclass(frozen=True)
class CloudOptions:
    """How a cloud is drawn from two meshes."""

    points: int = 8192
    share: float | None = None  # of the points on the object; None: by area
    least: float = 0.2  # by area: neither mesh gets a smaller share
    up: Literal["y", "z"] = "y"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.points < 2:
            raise ValueError(f"points is {self.points}, expected at least 2")
        if self.share is not None and not 0 < self.share < 1:
            raise ValueError(f"share is {self.share}, expected a number between 0 and 1")
        if not 0 <= self.least <= 0.5:
            raise ValueError(f"least is {self.least}, expected a number from 0 to 0.5")
        if self.up not in UPRIGHT:
            raise ValueError(f"up is {self.up!r}, expected y or z")


class Cloud(NamedTuple):
    """xyz in the unit sphere beside rgb in [0, 1]; the person's points are the first `human`."""

    points: Float32[np.ndarray, "n 6"]
    human: int


def sample_cloud(sample: Sample, options: CloudOptions | None = None) -> Cloud:
    """The cloud of a sample; its object is the annotated one where there is one, else the coarse start.

    Both surfaces are sampled evenly. As PointLLM does with its own clouds, the mean of the points is moved to the origin
    and the farthest of them to the unit sphere. Raises SampleError for a mesh without any area.
    """
    options = options or CloudOptions()
    thing = sample.object if sample.truth is None else sample.truth
    areas = [float(triangle_areas(mesh).sum()) for mesh in (sample.human, thing)]
    for name, area in zip(("human", "object"), areas):
        if not area > 0:
            raise SampleError(sample.folder, f"the {name}'s mesh has no area, expected a surface to put points on")
    human, count = split(areas[0], areas[1], options)
    rng = np.random.default_rng(options.seed)
    person, _ = surface(sample.human, human, rng)
    object_points, rgb = surface(thing, count, rng)
    xyz = np.concatenate([person, object_points]) @ UPRIGHT[options.up].T
    xyz = xyz - xyz.mean(0)
    xyz = xyz / np.linalg.norm(xyz, axis=1).max()
    colours = np.concatenate([np.zeros_like(person), np.clip(rgb, 0.0, 1.0)])
    return Cloud(np.concatenate([xyz, colours], 1).astype(np.float32), human)


def split(human: float, thing: float, options: CloudOptions) -> tuple[int, int]:
    """How many points the person and the object get, of areas in m²; each at least one."""
    by_area = min(max(thing / (human + thing), options.least), 1 - options.least)
    share = by_area if options.share is None else options.share
    count = min(max(round(options.points * share), 1), options.points - 1)
    return options.points - count, count


def triangle_areas(mesh: ColoredMesh) -> Float[np.ndarray, " f"]:
    """Area of each triangle in m²."""
    a, b, c = (mesh.verts[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def surface(
    mesh: ColoredMesh, count: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """Points spread evenly over a surface, and the colours there (Osada et al., Shape Distributions, TOG 2002)."""
    areas = triangle_areas(mesh)
    corners = mesh.faces[rng.choice(len(areas), count, p=areas / areas.sum())]
    root, along = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1 - root, root * (1 - along), root * along], 1)
    points, rgb = (np.einsum("nk,nkd->nd", weights, values[corners]) for values in (mesh.verts, mesh.rgb))
    return points.astype(np.float64), rgb.astype(np.float64)

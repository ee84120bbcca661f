"""A start that is wrong in every way at once: how far a method finds back."""

import zlib

import numpy as np
from scipy.spatial.transform import Rotation

from hoijax.data.sample import Sample, SampleError

TURN = 45.0  # degrees, about an axis drawn from all directions
SHIFT = 0.4  # metres, in a direction drawn from all directions
SIZE = 2.0  # factor, up or down by the toss of a coin


def rough_start(sample: Sample) -> Sample:
    """The sample whose object starts at the annotated one turned by TURN, moved by SHIFT and scaled by SIZE or 1 / SIZE.

    All about the mean of its vertices, so that the errors of `object_pose_errors` are these numbers exactly. The sample's
    name decides axis, direction and coin, and nothing else of the sample changes. Raises SampleError for a sample without
    annotation, or with one that does not correspond to its object.
    """
    truth = sample.truth
    if truth is None or truth.verts.shape != sample.object.verts.shape:
        found = "no annotated object" if truth is None else f"an annotated object of {len(truth.verts)} vertices"
        raise SampleError(
            sample.folder, f"has {found}, expected one with the {len(sample.object.verts)} vertices of its object"
        )
    rng = np.random.default_rng([zlib.crc32(sample.name.encode()), 0x5EED])
    axis, direction = (step / np.linalg.norm(step) for step in rng.normal(size=(2, 3)))
    scale = SIZE if rng.random() < 0.5 else 1 / SIZE
    rotation = Rotation.from_rotvec(np.radians(TURN) * axis).as_matrix()
    center = truth.verts.mean(0)
    verts = scale * (truth.verts - center) @ rotation.T + center + SHIFT * direction
    return sample._replace(object=sample.object._replace(verts=verts))

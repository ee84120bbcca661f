"""Rotations, similarity transforms, projection, and primitives whose gradients stay finite where the naive ones do not."""

from functools import partial

import jax
import jax.numpy as jnp
import jaxlie
from jaxtyping import Array, Float

from hoijax.types import Camera, ObjectPose

# The matrix product for positions and shapes: in full precision also on GPUs, whose default keeps ten bits (TF32).
product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


def rotation_matrix(rotvec: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """Rotation matrix exp([rotvec]x) of an axis-angle vector (radians). Smooth everywhere, also at zero."""
    return jaxlie.SO3.exp(rotvec).as_matrix()


def rotation_vector(matrix: Float[Array, "*b 3 3"]) -> Float[Array, "*b 3"]:
    """Axis-angle vector of a rotation matrix: the inverse of `rotation_matrix` for angles under pi."""
    return jaxlie.SO3.from_matrix(matrix).log()


def quaternion_matrix(quat: Float[Array, "*b 4"]) -> Float[Array, "*b 3 3"]:
    """Rotation matrix of a wxyz quaternion of any non-zero norm."""
    return jaxlie.SO3(safe_normalize(quat)).as_matrix()


def similarity(points: Float[Array, "n 3"], pose: ObjectPose, pivot: Float[Array, "3"]) -> Float[Array, "n 3"]:
    """x' = s R (x - m) + m + t: the object transform (Open3DHOI Eq. 3) about the pivot m."""
    moved = product(points - pivot, rotation_matrix(pose.rotvec).T)
    return jnp.exp(pose.log_scale) * moved + (pivot + pose.translation)


def inverse_similarity(points: Float[Array, "n 3"], pose: ObjectPose, pivot: Float[Array, "3"]) -> Float[Array, "n 3"]:
    """x = R^T (x' - m - t) / s + m: takes points of the moved object back to where it started."""
    centred = product(points - (pivot + pose.translation), rotation_matrix(pose.rotvec))
    return jnp.exp(-pose.log_scale) * centred + pivot


def scaled_about_camera(pose: ObjectPose, pivot: Float[Array, "3"], k: Float[Array, ""]) -> ObjectPose:
    """The pose of the object scaled by k about the camera: x' = k x, as a similarity about the same pivot."""
    return ObjectPose(pose.rotvec, k * (pivot + pose.translation) - pivot, pose.log_scale + jnp.log(k))


def masked_mean(points: Float[Array, "n 3"], valid: Array) -> Float[Array, "3"]:
    """Mean of the points where `valid`; zero when there are none."""
    weight = valid.astype(points.dtype)
    return (points * weight[:, None]).sum(0) / jnp.maximum(weight.sum(), 1)


def project(points: Float[Array, "*n 3"], camera: Camera, near: float = 1e-6) -> Float[Array, "*n 2"]:
    """Pinhole projection to pixels, (x, y) = focal (X, Y) / Z + center. Depths under `near` are taken as 1 m."""
    depth = points[..., 2:]
    inverse = 1 / jnp.where(depth > near, depth, 1)
    return camera.focal * points[..., :2] * inverse + camera.center


def safe_sqrt(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Square root of x >= 0. Gradient: 0 at 0 instead of infinity."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1)), 0)


def safe_norm(x: Float[Array, "*n c"]) -> Float[Array, "*n"]:
    """Euclidean norm of the last axis. Gradient: 0 at the zero vector instead of NaN."""
    return safe_sqrt((x * x).sum(-1))


def safe_normalize(x: Float[Array, "*n c"]) -> Float[Array, "*n c"]:
    """x / |x| along the last axis; the zero vector stays zero, with zero gradient."""
    squared = (x * x).sum(-1, keepdims=True)
    positive = squared > 0
    inverse = 1 / jnp.sqrt(jnp.where(positive, squared, 1))
    return jnp.where(positive, x * inverse, 0)

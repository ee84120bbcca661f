"""Encoders that the tasks' networks share: PointNet++ for a point cloud, a small convolutional network for a picture.

Departure from PointNet++ (Qi et al., NeurIPS 2017): layer norms stand for its batch norms, so that what is told of an
example does not depend on its batch.
"""

from dataclasses import dataclass

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from hoijax.tasks.points import Grouping, ball_query, farthest_points, grouped


@dataclass(frozen=True)
class Level:
    """A set abstraction: how many centres, within which radius (metres), how many points a ball, widths of its MLP."""

    centers: int
    radius: float
    points: int
    widths: tuple[int, ...]


class SharedMlp(nn.Module):
    """The same fully connected layers for every point: linear, layer norm, ReLU."""

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x: Float[Array, "*n c"]) -> Float[Array, "*n k"]:
        """Features of each point."""
        for width in self.widths:
            x = nn.relu(nn.LayerNorm()(nn.Dense(width)(x)))
        return x


def cloud_groups(points: Float[Array, "n 3"], levels: tuple[Level, ...]) -> tuple[Grouping, ...]:
    """What `CloudEncoder` samples and groups, level by level; each level's indices are into the one before it.

    It depends on distances alone: a cloud that is turned, mirrored or moved keeps its groups, so a training finds them
    once for each example.
    """
    found = []
    for level in levels:
        centers = farthest_points(points, level.centers)
        found.append(Grouping(centers, ball_query(points, points[centers], level.radius, level.points)))
        points = points[centers]
    return tuple(found)


class CloudEncoder(nn.Module):
    """PointNet++ with single-scale grouping: set abstractions, then the maximum over what is left."""

    levels: tuple[Level, ...]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, points: Float[Array, "n 3"], groups: tuple[Grouping, ...] | None = None) -> Float[Array, " k"]:
        """One feature of the cloud; where it stands counts, for the other cloud stands in the same frame.

        `groups`: of `cloud_groups`, where they are at hand.
        """
        groups = cloud_groups(points, self.levels) if groups is None else groups
        features = points
        for level, (chosen, members) in zip(self.levels, groups, strict=True):
            centers = points[chosen]
            near = grouped(points, features, centers, jnp.asarray(members), level.radius)
            features = SharedMlp(level.widths)(near).max(1)
            points = centers
        return SharedMlp(self.widths)(jnp.concatenate([points, features], -1)).max(0)


class ImageEncoder(nn.Module):
    """A small convolutional network, for where no CLIP feature is at hand."""

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, image: Float[Array, "h w c"]) -> Float[Array, " k"]:
        """One feature of the picture."""
        x = image
        for width in self.widths:
            x = nn.relu(nn.GroupNorm(num_groups=8)(nn.Conv(width, (3, 3), strides=2)(x)))
        return x.mean((0, 1))

"""Ordinal depth: where the masks say who is in front, the rendered depths should agree (PHOSA, ECCV 2020)."""

from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def ordinal_depth(
    human_depth: Float[Array, "h w"],
    human_covered: Bool[Array, "h w"],
    object_depth: Float[Array, "h w"],
    object_covered: Bool[Array, "h w"],
    human_mask: Float[Array, "h w"],
    object_mask: Float[Array, "h w"],
    clip: float = 2.0,
    reduce: Literal["mean", "sum"] = "mean",
) -> Float[Array, ""]:
    """sum over pairs (i, j) and wrong pixels of log(1 + exp(clip(d_i - d_j, 0, 2))), over a count.

    The pairs are (human, object) and (object, human). The count is that of the pixels where both are rendered ("mean"), or
    of the pairs, two ("sum": PHOSA's, which grows with the resolution). Without any overlap the loss is 0.
    A pixel is wrong for (i, j) when the masks show i alone, both are rendered there and the depths have j in front.
    Depths in metres; where not covered they may hold anything. Descent pulls i towards the camera and pushes j away.

    Gradient: which pixels are wrong is constant, so the loss falls by log 2 as a pixel comes right; 0 beyond `clip`.
    """
    human_hidden, object_hidden = _hidden(
        human_depth, human_covered, object_depth, object_covered, human_mask, object_mask
    )
    depth_gap = jnp.where(human_hidden | object_hidden, human_depth - object_depth, 0)
    too_deep = jnp.where(human_hidden, depth_gap, -depth_gap)  # d_i - d_j > 0, i: who should be in front
    penalty = jnp.logaddexp(0, jnp.clip(too_deep, 0, clip))
    both = human_covered & object_covered
    count = both.sum() if reduce == "mean" else 2 * both.any()
    return jnp.where(human_hidden | object_hidden, penalty, 0).sum() / jnp.maximum(count, 1)


def ordinal_pixels(
    human_depth: Float[Array, "h w"],
    human_covered: Bool[Array, "h w"],
    object_depth: Float[Array, "h w"],
    object_covered: Bool[Array, "h w"],
    human_mask: Float[Array, "h w"],
    object_mask: Float[Array, "h w"],
) -> Int[Array, "2"]:
    """How many pixels `ordinal_depth` finds wrong: those that wrongly hide the human, and the object."""
    hidden = _hidden(human_depth, human_covered, object_depth, object_covered, human_mask, object_mask)
    return jnp.stack([pixels.sum() for pixels in hidden])


def _hidden(
    human_depth: Float[Array, "h w"],
    human_covered: Bool[Array, "h w"],
    object_depth: Float[Array, "h w"],
    object_covered: Bool[Array, "h w"],
    human_mask: Float[Array, "h w"],
    object_mask: Float[Array, "h w"],
) -> tuple[Bool[Array, "h w"], Bool[Array, "h w"]]:
    """Pixels where the human should be in front and the object is, and the reverse."""
    both = human_covered & object_covered
    human_seen = human_mask > 0.5
    object_seen = object_mask > 0.5
    human_hidden = both & human_seen & ~object_seen & (object_depth < human_depth)
    object_hidden = both & object_seen & ~human_seen & (human_depth < object_depth)
    return human_hidden, object_hidden

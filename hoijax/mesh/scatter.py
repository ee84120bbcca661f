"""Many candidates for few cells, and each cell keeps the best: the scatter behind z-buffers and nearest features."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def scatter_nearest(
    distance: Float[Array, " p"],
    owner: Int[Array, " p"],
    cell: Int[Array, "*n"],
    value: Float[Array, "*n"],
    candidate: Int[Array, "*n"],
) -> tuple[Float[Array, " p"], Int[Array, " p"]]:
    """Update the smallest distance of each cell and its owner with candidates; a cell outside 0 .. p-1 takes none.

    Among equal distances the lowest candidate owns the cell, whatever the order of the updates.
    """
    nowhere = distance.shape[0]
    nearer = distance.at[cell].min(value, mode="drop")
    won = value == nearer.at[cell].get(mode="fill", fill_value=jnp.nan)
    dethroned = won & (value < distance.at[cell].get(mode="fill", fill_value=jnp.nan))
    highest = jnp.iinfo(owner.dtype).max
    owner = owner.at[jnp.where(dethroned, cell, nowhere)].set(highest, mode="drop")
    return nearer, owner.at[jnp.where(won, cell, nowhere)].min(candidate, mode="drop")

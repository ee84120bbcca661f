"""From a function of one image to one of a batch of images, on one device or divided among several."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from hoijax.optimize.step import Given, Job
from hoijax.types import Assets, Scene

AXIS = "image"


class Spread(NamedTuple):
    """How the images of a job lie. `batch` False: it holds one image, whose leaves have no axis for images.

    `own_body`: every image brings a body of its own; else all share one, which is not copied. `devices`: where the images
    are, evenly divided; none: where jax puts them. From device to device nothing travels during a fit.
    """

    batch: bool = False
    own_body: bool = False
    devices: tuple[jax.Device, ...] = ()


def run(function: Callable[..., Any], spread: Spread, job: Given | Job, *shared: Any, **static: Any) -> Any:
    """`function(job, *shared, **static)` for every image of the job. `static` must be hashable: it is compiled in."""
    if not spread.batch:
        return function(job, *shared, **static)
    kind: Any = type(job)
    return _compiled(function, spread, kind, tuple(sorted(static.items())), len(shared))(job, *shared)


def planned_bytes(function: Callable[..., Any], spread: Spread, job: Given | Job, *shared: Any, **static: Any) -> int:
    """Device memory that `run` takes for a batch, as the compiler plans it: arguments, results and what lies between."""
    kind: Any = type(job)
    found = _compiled(function, spread, kind, tuple(sorted(static.items())), len(shared)).lower(job, *shared)
    plan = found.compile().memory_analysis()
    sizes = plan.argument_size_in_bytes, plan.output_size_in_bytes, plan.temp_size_in_bytes, -plan.alias_size_in_bytes
    return sum(sizes)


def gathered(
    scenes: Sequence[Scene], assets: Sequence[Assets], devices: Sequence[jax.Device] = ()
) -> tuple[Given, Spread]:
    """Images of equal shapes as one batch, put where its devices are. Their number must divide by that of the devices."""
    bodies = [own.body for own in assets]
    own_body = any(body is not bodies[0] for body in bodies)
    spread = Spread(True, own_body, tuple(devices))
    body = placed(stacked(bodies), spread) if own_body else placed(bodies[0], spread, shared=True)
    return Given(placed(stacked(scenes), spread), Assets(body, placed(assets[0].lpips, spread, shared=True))), spread


def placed(tree: Any, spread: Spread, shared: bool = False) -> Any:
    """The arrays of a batch on its devices; `shared`: what has no axis for images, whole on each."""
    if not spread.devices:
        return jax.device_put(tree)
    return jax.device_put(tree, NamedSharding(_mesh(spread), PartitionSpec() if shared else PartitionSpec(AXIS)))


def stacked(trees: Sequence[Any]) -> Any:
    """One tree whose leaves have the images as leading axis, on the host."""
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *trees)


def image_of(tree: Any, i: int) -> Any:
    """What belongs to image i of a batch."""
    return jax.tree.map(lambda leaf: leaf[i], tree)


@cache
def _compiled(function: Callable[..., Any], spread: Spread, kind: type[Any], static: tuple, n_shared: int) -> Any:
    nothing = (None,) * n_shared
    many: Callable[..., Any] = jax.vmap(partial(function, **dict(static)), (_axes(spread, kind, 0, None), *nothing))
    if len(spread.devices) > 1:
        split, whole = PartitionSpec(AXIS), PartitionSpec()
        many = _shard_map(many, _mesh(spread), (_axes(spread, kind, split, whole), *[whole] * n_shared), split)
    return jax.jit(many)


def _axes(spread: Spread, kind: type[Any], split: Any, whole: Any) -> Any:
    """`split` for what each image has of its own, `whole` for what all share."""
    own = {name: split for name in kind._fields if name != "assets"}
    return kind(assets=Assets(split if spread.own_body else whole, whole), **own)


def _mesh(spread: Spread) -> Mesh:
    return Mesh(np.array(spread.devices), (AXIS,))


def _shard_map(function: Callable[..., Any], mesh: Mesh, in_specs: Any, out_specs: Any) -> Callable[..., Any]:
    """`jax.shard_map` without its check of what varies: the loops here start from constants."""
    if hasattr(jax, "shard_map"):
        return jax.shard_map(function, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)
    from jax.experimental.shard_map import shard_map  # where it was before jax 0.7

    return shard_map(function, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_rep=False)

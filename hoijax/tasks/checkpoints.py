"""States of a training on the disk (Orbax): written whole, the newest that can be read is taken."""

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from hoijax.data.sample import SampleError

KEPT = 2  # the newest, and one before it to fall back on


def save_state(folder: Path, arrays: Any, progress: Mapping[str, Any]) -> None:
    """Writes a checkpoint beside those in `folder`, then removes all but the newest two.

    arrays: any pytree of arrays, random keys among them. progress: what JSON can hold.
    """
    import orbax.checkpoint as ocp

    older = _checkpoints(folder)
    path = folder.absolute() / f"{int(older[0].name) + 1 if older else 0:06d}"
    leaves = {str(k): _plain(leaf) for k, leaf in enumerate(jax.tree.leaves(arrays))}
    args = ocp.args.Composite(arrays=ocp.args.StandardSave(leaves), progress=ocp.args.JsonSave(dict(progress)))
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        checkpointer.save(path, args=args)
    unfinished = [past for past in folder.glob("*orbax-checkpoint-tmp*") if past.is_dir()]
    for past in [*older[KEPT - 1 :], *unfinished]:
        shutil.rmtree(past, ignore_errors=True)


def load_state(folder: Path, like: Any) -> tuple[Any, dict[str, Any]] | None:
    """The newest checkpoint as (arrays, progress), in the structure of `like`; None where `folder` holds none at all.

    One that cannot be read is told with its path (a warning), and the one before it is taken.
    Raises: SampleError where the arrays are not those of `like` by number, shape or type, or where there are
    checkpoints of which none can be read.
    """
    import orbax.checkpoint as ocp

    found = _checkpoints(folder)
    for path in found:
        wanted = ocp.args.Composite(arrays=ocp.args.StandardRestore(), progress=ocp.args.JsonRestore())
        try:
            with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that no devices are named: one process restores what it saved itself
                read = checkpointer.restore(path.absolute(), args=wanted)
            leaves = [jnp.asarray(read["arrays"][str(k)]) for k in range(len(read["arrays"]))]
            progress = dict(read["progress"])
        except Exception as error:  # what a damaged checkpoint raises depends on which of its files is damaged
            reason = (str(error).splitlines() or [""])[0][:200]
            warnings.warn(f"{path}: cannot be read ({type(error).__name__}: {reason}); left out", stacklevel=2)
            continue
        return _as(like, leaves, path), progress
    if found:
        raise SampleError(folder, f"none of its {len(found)} checkpoints can be read; remove the folder to begin anew")
    return None


def _checkpoints(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted((path for path in folder.glob("*") if path.name.isdigit()), reverse=True)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _plain(leaf: Any) -> jax.Array:
    return jax.random.key_data(leaf) if _is_key(leaf) else jnp.asarray(leaf)


def _as(like: Any, leaves: list[jax.Array], path: Path) -> Any:
    wanted, structure = jax.tree.flatten(like)
    shapes = [(leaf.shape, leaf.dtype) for leaf in leaves]
    expected = [(leaf.shape, leaf.dtype) for leaf in map(_plain, wanted)]
    if shapes != expected:
        other = next(
            (f"{a[1]}{list(a[0])} in place of {b[1]}{list(b[0])}" for a, b in zip(shapes, expected) if a != b), ""
        )
        raise SampleError(
            path, f"holds {len(shapes)} arrays, expected {len(expected)} {other}: the state of another network"
        )
    typed = [
        jax.random.wrap_key_data(leaf, impl=jax.random.key_impl(one)) if _is_key(one) else leaf
        for leaf, one in zip(leaves, wanted)
    ]
    return jax.tree.unflatten(structure, typed)

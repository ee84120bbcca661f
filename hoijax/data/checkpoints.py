"""Checkpoints of a long fit, through Orbax: a fit that was cut off goes on from its last one, to the same bits."""

import shutil
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hoijax.config import Capacity, Config
from hoijax.data.runs import config_key, sample_key
from hoijax.optimize.fit import Saved
from hoijax.optimize.step import FitState, Trace
from hoijax.types import SdfGrid

FOLDER = ".checkpoints"  # hidden: no result is looked for in it


def checkpoint_folder(out: Path, name: str, sample: Path, config: Config, extra: bytes = b"") -> Path:
    """Where the checkpoints of a fit belong. Another config, or a changed sample, has other ones.

    `extra`: what else decides the fit, the content of a body file, say.
    """
    return out / FOLDER / name / f"{config_key(config)}-{sample_key(sample, extra)}"


def keeper(folder: Path, seconds: float) -> Callable[[Saved], None]:
    """A `keep` for `fit` that writes a checkpoint where the last is older than `seconds`. The newest replaces the others.

    Raises OSError when it cannot be written.
    """
    last = time.monotonic()

    def keep(saved: Saved) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            save_checkpoint(folder, saved)
            last = time.monotonic()

    return keep


def save_checkpoint(folder: Path, saved: Saved) -> None:
    """Writes the checkpoint, whole or not at all, and removes those before it."""
    import orbax.checkpoint as ocp  # takes more than a second to import, and few fits are long enough

    arrays = {
        "state": _flat(saved.state),
        "human_sdf": saved.human_sdf._asdict(),
        "traces": {f"{i:06d}": trace._asdict() for i, trace in enumerate(saved.traces)},
    }
    record = {"stage": saved.stage, "done": saved.done, "capacity": astuple(saved.capacity), "notes": list(saved.notes)}
    older = _numbered(folder)
    path = folder.absolute() / str(int(older[-1].name) + 1 if older else 1)
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        checkpointer.save(
            path, args=ocp.args.Composite(arrays=_standard(ocp, arrays), record=ocp.args.JsonSave(record))
        )
    for past in older:
        shutil.rmtree(past, ignore_errors=True)


def load_checkpoint(folder: Path, like: FitState) -> Saved | None:
    """The newest checkpoint in the folder; None where there is none that can be read.

    `like`: any state of this fit, from `start_state`, for its structure.
    """
    for path in reversed(_numbered(folder)):
        try:
            return _loaded(path, like)
        except Exception:  # a damaged checkpoint raises anything; an older one, or the start, serves as well
            continue
    return None


def remove_checkpoints(folder: Path) -> None:
    """Removes what a finished fit no longer needs."""
    shutil.rmtree(folder, ignore_errors=True)
    for parent in folder.parents:
        try:
            parent.rmdir()  # only when it is empty
        except OSError:
            return
        if parent.name == FOLDER:
            return


def _loaded(path: Path, like: FitState) -> Saved:
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        wanted = ocp.args.Composite(arrays=ocp.args.StandardRestore(), record=ocp.args.JsonRestore())
        found = checkpointer.restore(path.absolute(), args=wanted)
    arrays, record = found["arrays"], found["record"]
    leaves = [arrays["state"][name] for name in sorted(arrays["state"])]
    shapes = [(leaf.shape, leaf.dtype) for leaf in leaves]
    if shapes != [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(like)]:
        raise ValueError(f"{path}: arrays of other shapes than those of this fit")
    traces = [arrays["traces"][name] for name in sorted(arrays["traces"])]
    return Saved(
        stage=record["stage"],
        done=record["done"],
        state=jax.tree.unflatten(jax.tree.structure(like), leaves),
        human_sdf=SdfGrid(**arrays["human_sdf"]),
        capacity=Capacity(*record["capacity"]),
        traces=tuple(Trace(**jax.tree.map(np.asarray, trace)) for trace in traces),
        notes=tuple(record["notes"]),
    )


def _flat(tree: Any) -> dict[str, Any]:
    """The leaves in order, by number: Orbax keeps dictionaries as they are."""
    return {f"{i:06d}": leaf for i, leaf in enumerate(jax.tree.leaves(tree))}


def _standard(ocp: Any, arrays: Any) -> Any:
    return ocp.args.StandardSave(jax.tree.map(np.asarray, arrays))


def _numbered(folder: Path) -> list[Path]:
    """Checkpoints in the folder, the newest last. What Orbax has not finished bears another name."""
    found = folder.iterdir() if folder.is_dir() else []
    return sorted((path for path in found if path.name.isdigit()), key=lambda path: int(path.name))

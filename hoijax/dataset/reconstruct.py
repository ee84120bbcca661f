"""One sample to a result, phase by phase; whoever does many may do the phases apart."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from hoijax.body.smplx import load_body, load_hand_means
from hoijax.config import Config
from hoijax.data.assemble import assemble
from hoijax.data.checkpoints import FOLDER, checkpoint_folder, keeper, load_checkpoint, remove_checkpoints
from hoijax.data.prepare import Prepared, prepare
from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.dataset.clock import CompileClock
from hoijax.dataset.mappings import forget_programs_when_crowded
from hoijax.dataset.tasks import Stage
from hoijax.losses.lpips import LpipsWeights, load_lpips
from hoijax.optimize.fit import Progress, fit, silent, start_state
from hoijax.optimize.outcome import Fitted, term_names
from hoijax.types import Assets, Body

Watch = Callable[[Progress], None]


class Kit(NamedTuple):
    """What all samples share. `body`: a body and its mean hands, None without a body file."""

    config: Config
    body: tuple[Body, Array] | None
    lpips: LpipsWeights | None
    clock: CompileClock


class StageError(Exception):
    """What went wrong with a sample, and in which stage; `__cause__` is the error itself."""

    def __init__(self, stage: Stage, cause: Exception) -> None:
        super().__init__(str(cause) or type(cause).__name__)
        self.stage = stage


def load_kit(config: Config, body: Path | None) -> Kit:
    """Raises ValueError, OSError or ModuleNotFoundError for a body file or a network that cannot be used."""
    wants_lpips = any(name.startswith("lpips") for name in term_names(config))
    return Kit(
        config,
        (load_body(body), load_hand_means(body)) if body else None,
        load_lpips(config.lpips_net) if wants_lpips else None,
        CompileClock(),
    )


@contextmanager
def staged(stage: Stage, seconds: dict[str, float]) -> Iterator[None]:
    """Adds the time spent inside to `seconds`, and says of an error in which stage it came (StageError)."""
    start = time.perf_counter()
    try:
        yield
    except Exception as error:
        raise StageError(stage, error) from error
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start


class Checkpoints(NamedTuple):
    """Where a fit may leave checkpoints: under the run's folder, by the sample's name; and how often (seconds)."""

    root: Path
    name: str
    sample: Path
    seconds: float

    def folder(self, kit: Kit) -> Path:
        """The folder of this fit: of this config, body and content of the sample."""
        extra = np.asarray(kit.body[0].template).tobytes() if kit.body else b""
        return checkpoint_folder(self.root, self.name, self.sample, kit.config, extra)

    def remove(self, kit: Kit) -> None:
        """Removes what a finished fit no longer needs."""
        if (self.root / FOLDER).exists():
            remove_checkpoints(self.folder(kit))


def reconstruct(
    sample: Sample,
    kit: Kit,
    seconds: dict[str, float],
    watch: Watch = silent,
    checkpoints: Checkpoints | None = None,
) -> Result:
    """One sample, as read, to a result; `seconds` are entered as they are spent. Raises StageError.

    With `checkpoints` a fit that was cut off goes on from its last one; whoever has saved the result removes them.
    """
    with staged("prepare", seconds):
        prepared = prepared_scene(sample, kit)
    compiled = kit.clock.seconds
    try:
        with staged("fit", seconds):
            fitted = fitted_scene(prepared, kit, watch, checkpoints)
    finally:
        seconds["compile"] = kit.clock.seconds - compiled
        seconds["fit"] = max(0.0, seconds["fit"] - seconds["compile"])
    with staged("measure", seconds):
        result = result_of(sample, prepared, fitted, kit)
    return with_seconds(result, seconds)


def prepared_scene(sample: Sample, kit: Kit) -> Prepared:
    """The sample, ready for the optimizer."""
    return prepare(sample, kit.config, *(kit.body or ()))


def fitted_scene(prepared: Prepared, kit: Kit, watch: Watch = silent, checkpoints: Checkpoints | None = None) -> Fitted:
    """The fit of one image. Raises NotFiniteError."""
    forget_programs_when_crowded()
    given = prepared.scene, Assets(prepared.body, kit.lpips), kit.config, jax.random.key(kit.config.seed)
    if checkpoints is None:
        return fit(*given, watch)
    folder = checkpoints.folder(kit)
    saved = load_checkpoint(folder, start_state(*given)) if folder.is_dir() else None
    if saved is not None:
        done = sum(stage.steps for stage in kit.config.stages[: saved.stage]) + saved.done
        steps = sum(stage.steps for stage in kit.config.stages)
        watch(Progress(kit.config.stages[saved.stage].name, done, steps, {}))
    return fit(*given, watch, keeper(folder, checkpoints.seconds), saved)


def result_of(sample: Sample, prepared: Prepared, fitted: Fitted, kit: Kit) -> Result:
    """The result with its metrics, without times."""
    return assemble(sample, prepared, fitted, kit.config, {}, kit.lpips)


def with_seconds(result: Result, seconds: Mapping[str, float]) -> Result:
    """The result with the times of the phases that made it, and their total."""
    spent = {name: seconds[name] for name in ("prepare", "compile", "fit", "measure")}
    return result._replace(seconds=spent | {"total": sum(spent.values())})

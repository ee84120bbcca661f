"""The nouns of a run over a data set. All can be pickled: they travel between processes, and between machines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from hoijax.config import Config

State = Literal["waiting", "done", "failed"]
Stage = Literal["read", "prepare", "fit", "measure", "write", "worker"]
Files = Literal["full", "result", "small"]
STAGES: tuple[Stage, ...] = ("read", "prepare", "fit", "measure", "write", "worker")
VANISHED = "the sample is no longer in the data tree"  # the reason of one that may come back
FILES: tuple[Files, ...] = ("full", "result", "small")


class Task(NamedTuple):
    """A sample to do: its name in the ledger, its folder, and where its result folder goes.

    `losses`: how many workers died with it in hand. Then it is not given together with others.
    """

    name: str
    folder: Path
    out: Path
    losses: int = 0

    @property
    def root(self) -> Path:
        """The folder of the whole run, OUT."""
        return self.out.parents[len(Path(self.name).parts) - 1]


class Outcome(NamedTuple):
    """What became of a task.

    "failed": the sample is set aside, `stage` and `reason` say why ("worker": its process died). "waiting": it is not
    done, and not the sample's fault (the disk is full): the run has to end. `seconds` are spent by phase: read,
    prepare, compile, fit, measure, write.
    """

    name: str
    state: State
    stage: Stage | None = None
    reason: str = ""
    seconds: Mapping[str, float] = {}
    worker: str = ""


class Lost(NamedTuple):
    """A worker that is gone without having been told to. `hopeless`: it could not start, and no other will."""

    worker: str
    reason: str
    hopeless: bool = False


@dataclass(frozen=True)
class Settings:
    """What a worker needs to know of the run.

    `body`: an SMPL-X file or None. `batch`: images fitted together, 0: as many as the device bears. `host_workers`:
    processes of each worker that read and write; 0: none. `files`: what a result folder holds ("full" with the page,
    "result" without it, "small" without meshes and Gaussians too). `compile_cache`: folder of JAX's persistent cache,
    None: none. `overwrite`: a result that stands in a task's place is replaced. `checkpoint_seconds`: a fit that takes
    longer leaves a checkpoint so often (only where images are fitted alone).
    """

    config: Config
    body: Path | None = None
    batch: int = 1
    host_workers: int = 0
    files: Files = "result"
    compile_cache: Path | None = None
    overwrite: bool = False
    checkpoint_seconds: float = 60.0


class Stopped(Exception):
    """Raised by a worker's `Take`: nothing more is to be begun."""


# Gives the next task; waits at most so many seconds (None: until one comes), None if none came. Raises Stopped.
Take = Callable[[float | None], Task | None]
Give = Callable[[Sequence[Outcome]], None]
Work = Callable[[Settings, Take, Give], None]  # hoijax.dataset.worker.work is the one that reconstructs

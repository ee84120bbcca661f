"""What a wrapper is and what it is asked: the nouns of the contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Tool:
    """Where a model lives on this machine."""

    python: str | None = None  # the python of the model's environment: a path, or a command that PATH knows
    repository: Path | None = None
    checkpoint: Path | None = None  # file or folder
    device: str = "auto"  # "auto" takes a GPU where there is one
    time_limit: float = 1800.0  # seconds without a finished job before the process counts as hung


class Job(NamedTuple):
    """One image's work: files by the names that the wrapper declares, a folder to make, plain options."""

    inputs: Mapping[str, Path]
    out: Path  # appears whole or not at all
    options: Mapping[str, Any] = {}


class Outcome(NamedTuple):
    """What became of a job. `error` is None unless it failed; `seconds` are those that the model took for it."""

    job: Job
    state: Literal["done", "cached", "failed", "dry"]
    error: str | None
    seconds: float


class OutputError(ValueError):
    """A file that is not what the contract says: which one, what was found and what was expected."""

    def __init__(self, file: Path, message: str) -> None:
        super().__init__(file, message)
        self.file = file
        self.message = message

    def __str__(self) -> str:
        return f"{self.file.name}: {self.message}"


# Looks at one output file, given also the job and the tool that made it. Raises OutputError.
Check = Callable[[Path, Job, Tool], None]


@dataclass(frozen=True)
class Wrapper:
    """What a wrapper declares: how its model is run, what it reads and what must come out."""

    name: str
    role: str  # what it is for, in a few words
    main: Path  # run by the model's python
    inputs: tuple[str, ...]
    outputs: Callable[[Job], Mapping[str, Check]]  # by file name; raises OutputError when the inputs name them wrongly
    options: Mapping[str, Any]  # the options it knows, with their defaults
    modules: Callable[[Tool], tuple[str, ...]]  # what the environment must be able to import
    without: str  # what a user does who has not got it
    repository_files: tuple[str, ...] = ()  # files that tell the right repository; empty: needs none
    needs_checkpoint: bool = True
    needs_gpu: bool = False
    schema: int = 1  # raise it when main.py computes something else from the same inputs


def options_of(wrapper: Wrapper, job: Job) -> dict[str, Any]:
    """The job's options over the wrapper's defaults. Raises ValueError that names an unknown one."""
    unknown = sorted(set(job.options) - set(wrapper.options))
    if unknown:
        known = ", ".join(wrapper.options) or "none"
        raise ValueError(f"{wrapper.name} has no option {', '.join(unknown)}; it knows {known}")
    return {**wrapper.options, **job.options}

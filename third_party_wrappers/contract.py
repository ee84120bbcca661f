"""Running other people's models: jobs in, checked folders out. README.md tells the contract in words.

A wrapper declares a `Wrapper`; `run` has its main.py, in the model's own environment, do a list of jobs.
"""

import json
import os
import secrets
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from third_party_wrappers import probe, process, record
from third_party_wrappers.declare import Check, Job, Outcome, OutputError, Tool, Wrapper, options_of

__all__ = ["Check", "Job", "Outcome", "OutputError", "Tool", "Wrapper", "import_existing", "problems", "run"]


class _Plan(NamedTuple):
    """A job that is to be run: looked through, its inputs hashed, the hidden folder that it is made in."""

    number: int
    job: Job
    options: dict[str, Any]
    hashes: dict[str, str]
    checks: Mapping[str, Check]
    work: Path


class _Refused(Exception):
    """A job that cannot be run as it stands, in a sentence."""


def problems(wrapper: Wrapper, tool: Tool) -> list[str]:
    """What is missing on this machine for a wrapper to run, a sentence each; empty when it is usable."""
    return probe.probe(wrapper, tool).problems


def run(
    wrapper: Wrapper,
    tool: Tool,
    jobs: Sequence[Job],
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    progress: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Does the jobs, in their order, and returns an outcome for each; what is already there is not done again.

    A job whose folder exists is "cached" when inputs, options and tool are the same and the outputs still pass their
    checks. A folder of other inputs is made anew; one that differs otherwise only with `overwrite`. `dry_run` prints
    the command instead. `progress` hears of each outcome at once. Raises ValueError when two jobs have one folder;
    whatever a job or the model does wrong is in its outcome.
    """
    jobs = [_absolute(job) for job in jobs]
    tool = _absolute_tool(tool)
    twice = [str(out) for out, count in Counter(job.out for job in jobs).items() if count > 1]
    if twice:
        raise ValueError(f"several jobs write to {', '.join(twice)}")
    outcomes: dict[int, Outcome] = {}

    def tell(index: int, outcome: Outcome) -> None:
        outcomes[index] = outcome
        if progress is not None:
            progress(outcome)

    made_by = record.identity(tool)
    plans: list[_Plan] = []
    for index, job in enumerate(jobs):
        try:
            plan = _plan(wrapper, index, job)
            if _is_cached(wrapper, tool, plan, made_by, overwrite):
                tell(index, Outcome(job, "cached", None, 0.0))
            else:
                _refuse_unwritable(job)
                plans.append(plan)
        except _Refused as error:
            tell(index, Outcome(job, "failed", f"{wrapper.name}: {error}", 0.0))
    if plans and dry_run:
        print(shlex.join(_command(wrapper, tool)) + f" --jobs=<{len(plans)} jobs>")
    lacking = [] if dry_run else probe.missing(wrapper, tool)
    for plan in plans if dry_run or lacking else []:
        why = f"{wrapper.name} cannot be run here: {'; '.join(lacking)}" if lacking else None
        tell(plan.number, Outcome(plan.job, "dry" if dry_run else "failed", why, 0.0))
    if plans and not (dry_run or lacking):
        with closing(_work_through(wrapper, tool, plans, made_by)) as ends:
            for index, outcome in ends:
                tell(index, outcome)
    return [outcomes[index] for index in range(len(jobs))]


def import_existing(wrapper: Wrapper, files: Mapping[str, Path], job: Job) -> Outcome:
    """Outputs that the user already has, by the wrapper's file names: checked like a model's, and copied to `job.out`.

    The job needs those inputs that the checks look at (the image, for sizes). A folder of this wrapper that is there is
    replaced; whatever else stands there is left alone, and the outcome says so. `run` takes an imported folder for the
    answer as long as the inputs recorded in it are the same.
    """
    job = _absolute(job)
    began = time.monotonic()
    try:
        plan = _plan(wrapper, 0, job, partly=True)
        _refuse_unwritable(job)
        before = record.read(job.out)
        if os.path.lexists(job.out) and (before is None or before.get("wrapper") != wrapper.name):
            raise _Refused(f"{job.out} is there and has no readable {record.FILE} of {wrapper.name}; remove it first")
        if set(files) != set(plan.checks):
            raise _Refused(f"got the files {', '.join(sorted(files))}; expected {', '.join(sorted(plan.checks))}")
        sources = {name: Path(os.path.abspath(path)) for name, path in files.items()}
        with _hidden([plan]):
            try:
                plan.work.mkdir(parents=True)
                for name, path in sources.items():
                    shutil.copyfile(path, plan.work / name)
                told = {name: {"path": str(path), "sha256": record.sha256(path)} for name, path in sources.items()}
            except OSError as error:
                raise _Refused(f"{error.filename}: cannot be copied ({error.strerror})") from error
            entry = record.written(wrapper, job, plan.options, plan.hashes, imported=True, files=told)
            _finish(plan, Tool(), entry, b"")
            return Outcome(job, "cached" if before == entry else "done", None, time.monotonic() - began)
    except (_Refused, OutputError) as error:
        return Outcome(job, "failed", f"{wrapper.name}: {error}", time.monotonic() - began)


def _plan(wrapper: Wrapper, index: int, job: Job, partly: bool = False) -> _Plan:
    """Looks through a job. Raises _Refused."""
    try:
        options = json.loads(json.dumps(options_of(wrapper, job)))  # as run.json will give them back
    except (TypeError, ValueError) as error:
        raise _Refused(str(error)) from error
    lacking = [name for name in wrapper.inputs if name not in job.inputs and not partly]
    unknown = sorted(set(job.inputs) - set(wrapper.inputs))
    if lacking or unknown:
        raise _Refused(f"got the inputs {', '.join(job.inputs) or 'none'}; expected {', '.join(wrapper.inputs)}")
    hashes = {}
    for name, path in job.inputs.items():
        try:
            hashes[name] = record.sha256(path)
        except OSError as error:
            raise _Refused(f"the input {name}, {path}, cannot be read ({error.strerror})") from error
    try:
        checks = wrapper.outputs(job)
    except OutputError as error:
        raise _Refused(f"{error.file}: {error.message}") from error
    except KeyError as error:
        raise _Refused(f"needs the input {error}") from error
    work = job.out.with_name(f".{job.out.name}-{secrets.token_hex(4)}")
    return _Plan(index, job, options, hashes, checks, work)


def _refuse_unwritable(job: Job) -> None:
    """Raises _Refused where the job's folder could not be made, before a model is loaded for it."""
    above = next(folder for folder in job.out.parents if os.path.lexists(folder))
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise _Refused(f"{job.out} cannot be made: {above} is no folder that may be written to")


def _is_cached(wrapper: Wrapper, tool: Tool, plan: _Plan, made_by: dict[str, Any], overwrite: bool) -> bool:
    """Whether the job's folder is already the answer. Raises _Refused when it is not and may not be replaced."""
    out = plan.job.out
    if not os.path.lexists(out):
        return False
    entry = record.read(out)
    try:
        if entry is None:
            wrong = f"it has no readable {record.FILE}"
        elif entry["wrapper"] != wrapper.name:
            wrong = f"it is of {entry['wrapper']}"
        elif not record.same_inputs(entry, plan.hashes):
            if overwrite or not entry["imported"]:
                return False
            wrong = "it holds imported files for other inputs"
        else:
            wrong = "; ".join(record.differences(entry, wrapper, plan.options, made_by))
            if not wrong:
                record.check_outputs(out, plan.checks, plan.job, tool)
                return True
    except OutputError as error:
        wrong = str(error)
    except (KeyError, TypeError, AttributeError):
        wrong = f"its {record.FILE} is not one of ours"
    if overwrite:
        return False
    raise _Refused(f"{out} is there and is not the answer to this job: {wrong}; remove it or allow to overwrite it")


def _work_through(
    wrapper: Wrapper, tool: Tool, plans: Sequence[_Plan], made_by: dict[str, Any]
) -> Generator[tuple[int, Outcome], None, None]:
    """Has the model do the jobs and makes their folders appear."""
    command = _command(wrapper, tool)
    entries = [
        {
            "inputs": {name: str(path) for name, path in plan.job.inputs.items()},
            "out": str(plan.work),
            "options": plan.options,
        }
        for plan in plans
    ]
    with _hidden(plans), closing(process.served(command, entries, tool.time_limit, tool.device)) as ends:
        for ended in ends:
            plan, error = plans[ended.number], ended.error
            entry = record.written(
                wrapper, plan.job, plan.options, plan.hashes, command=command, tool=made_by, seconds=ended.seconds
            )
            if error is None:
                try:
                    _finish(plan, tool, entry, ended.log)
                except OutputError as fault:
                    error = f"the model ended well, but {fault}"
            if error is not None:
                error = _failed(wrapper, plan, error, ended.log)
            shutil.rmtree(plan.work, ignore_errors=True)
            yield plan.number, Outcome(plan.job, "done" if error is None else "failed", error, ended.seconds)


def _finish(plan: _Plan, tool: Tool, entry: dict[str, Any], log: bytes) -> None:
    """Checks the outputs, records the run and makes the folder appear. Raises OutputError."""
    record.check_outputs(plan.work, plan.checks, plan.job, tool)
    try:
        (plan.work / record.FILE).write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
        (plan.work / "log.txt").write_bytes(log)
        record.appear(plan.work, plan.job.out)
        _log_beside(plan.job).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(plan.job.out, f"cannot be written ({error})") from error


def _failed(wrapper: Wrapper, plan: _Plan, error: str, log: bytes) -> str:
    """Keeps the log of a failed job beside its folder. The error, with the log's end."""
    tail = process.last_lines(log)
    if "out of memory" in tail.lower() and "out of memory" not in error:
        error = f"out of memory: {error}"
    beside = _log_beside(plan.job)
    with suppress(OSError):  # a full disk must not hide what went wrong before
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(log)
    about = plan.job.inputs.get("image", plan.job.out)
    return f"{wrapper.name}: {about}: {error} (log: {beside}){tail}"


def _command(wrapper: Wrapper, tool: Tool) -> list[str]:
    device = process.seen_as(tool.device)
    places = {"repository": tool.repository, "checkpoint": tool.checkpoint, "device": device}
    flags = [f"--{name}={value}" for name, value in places.items() if value is not None]
    return [tool.python or f"<{wrapper.name}_python>", str(wrapper.main), *flags]


@contextmanager
def _hidden(plans: Sequence[_Plan]) -> Iterator[None]:
    """The hidden folders of these jobs are gone at the end, whatever happens."""
    try:
        yield
    finally:
        for plan in plans:
            shutil.rmtree(plan.work, ignore_errors=True)


def _log_beside(job: Job) -> Path:
    return job.out.with_name(job.out.name + ".log")


def _absolute(job: Job) -> Job:
    """With absolute paths, as the model's process may work elsewhere."""
    inputs = {name: Path(os.path.abspath(path)) for name, path in job.inputs.items()}
    return Job(inputs, Path(os.path.abspath(job.out)), dict(job.options))


def _absolute_tool(tool: Tool) -> Tool:
    places = [None if place is None else Path(os.path.abspath(place)) for place in (tool.repository, tool.checkpoint)]
    python = tool.python
    if python is not None and os.path.dirname(python):
        python = os.path.abspath(python)  # not resolved: a virtual environment's python is a link
    return Tool(python, places[0], places[1], tool.device, tool.time_limit)

"""One process that serves a list of jobs: started, listened to, and ended with all of its children."""

import json
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

LAST_LINES = 6  # of the log, in an error
GRACE = 20.0  # seconds for a process to exit once its last job is done

# What must not leak from our environment into the model's.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")

VISIBLE = "CUDA_VISIBLE_DEVICES"


class Ended(NamedTuple):
    """How an entry of the list ended: its number there, None or what went wrong, the model's seconds, its log."""

    number: int
    error: str | None
    seconds: float
    log: bytes


class _Child(NamedTuple):
    process: subprocess.Popen[bytes]
    lines: queue.Queue[bytes | None]  # of its stdout; None is the end


def environment(device: str) -> dict[str, str]:
    """The environment of a model's process: without our Python's paths, unbuffered, and never downloading.

    It shows the process no GPU but that of `device`, as some repositories take the first that they see. Numbers count
    among the GPUs that we see ourselves; one that there is not, and "cpu", leave none to be seen.
    """
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    kept |= {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    numbered = re.fullmatch(r"cuda:(\d+)", device)
    if device == "cpu":
        kept[VISIBLE] = "-1"
    elif numbered and VISIBLE in kept:
        ours, number = kept[VISIBLE].split(","), int(numbered[1])
        kept[VISIBLE] = ours[number].strip() if number < len(ours) else "-1"
    elif numbered:
        kept[VISIBLE] = numbered[1]
    return kept


def seen_as(device: str) -> str:
    """What a device is called inside of its environment(): a numbered GPU is the only one there."""
    return "cuda" if re.fullmatch(r"cuda:\d+", device) else device


def served(
    command: Sequence[str], entries: Sequence[Mapping[str, Any]], limit: float, device: str
) -> Generator[Ended, None, None]:
    """Runs the command on all entries and yields how each ended, once for each, in their order.

    When the process dies or finishes nothing for `limit` seconds, the entry in hand has failed and the others go on in
    a new process; one that never comes to its first entry fails all of them, as a new one would do the same.
    """
    left = list(range(len(entries)))
    while left:
        here = list(left)
        with closing(_once(command, [entries[index] for index in here], limit, device)) as ends:
            for ended in ends:
                left.remove(here[ended.number])
                yield ended._replace(number=here[ended.number])


def _once(
    command: Sequence[str], entries: Sequence[Mapping[str, Any]], limit: float, device: str
) -> Generator[Ended, None, None]:
    """One process. Yields every entry that came to an end in it."""
    with tempfile.TemporaryDirectory(prefix="jobs-") as scratch:
        jobs, log = Path(scratch, "jobs.json"), Path(scratch, "log.txt")
        jobs.write_text(json.dumps(list(entries)), encoding="utf-8")
        try:
            process = _start([*command, f"--jobs={jobs}", "--end_with_parent"], log, environment(device))
        except OSError as error:  # an executable file need not be a program
            for index in range(len(entries)):
                yield Ended(index, f"{command[0]} cannot be started ({error.strerror})", 0.0, b"")
            return
        with _listened_to(process) as child:
            yield from _follow(child, len(entries), log, limit)


def _follow(child: _Child, count: int, log: Path, limit: float) -> Iterator[Ended]:
    """Reads the reports until all entries have ended, or the process has."""
    ended, begun, loaded = 0, None, None  # the log's size when the entry in hand began, and when the first one did
    deadline = time.monotonic() + limit
    while ended < count:
        try:
            line = child.lines.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            why = f"hung: no job was finished within {limit:g} s"
            break
        if line is None:
            why = _how(child.process)
            break
        entry = _report(line, log)
        if entry is None:
            continue
        if entry["state"] == "begun":
            begun = entry["log"]
            loaded = begun if loaded is None else loaded
            continue
        yield Ended(ended, entry["error"], entry["seconds"], _part(log, loaded or 0, begun or 0, entry["log"]))
        ended, begun, deadline = ended + 1, None, time.monotonic() + limit
    else:
        _leave(child.process)
        return
    _kill(child.process)
    if begun is not None:
        yield Ended(ended, f"the process {why}", 0.0, _part(log, loaded or 0, begun, None))
    elif loaded is None:
        for index in range(count):
            yield Ended(index, f"the process {why} before its first job", 0.0, _part(log, 0, 0, None))


def _report(line: bytes, log: Path) -> dict[str, Any] | None:
    """A line of the process's stdout as a report. What is none belongs to the log."""
    try:
        entry = json.loads(line)
        return entry if {"state", "log"} <= set(entry) else None
    except (ValueError, TypeError):
        with open(log, "ab") as file:
            file.write(line)
        return None


def _part(log: Path, loaded: int, begun: int, end: int | None) -> bytes:
    """A job's part of the log: how the model was loaded, and what was said while the job was in hand."""
    with open(log, "rb") as file:
        loading = file.read(min(loaded, begun))
        file.seek(begun)
        return loading + file.read(-1 if end is None else end - begun)


def last_lines(log: bytes) -> str:
    """The end of a log, for an error; of a progress bar only what it showed last. Empty for an empty log."""
    lines = [line.split("\r")[-1].rstrip() for line in log.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")]
    lines = [line for line in lines if line][-LAST_LINES:]
    return "\n".join(["", "the log's last lines:", *("    " + line[-300:] for line in lines)]) if lines else ""


def _start(command: Sequence[str], log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A process in a group of its own, whose stderr is the log. Raises OSError."""
    with open(log, "ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # closed when we are gone: it ends itself then
            stdout=subprocess.PIPE,
            stderr=file,
            env=env,
            start_new_session=True,
        )


@contextmanager
def _listened_to(process: subprocess.Popen[bytes]) -> Iterator[_Child]:
    """A process whose stdout is read; at the end of the block its whole group is gone."""
    lines: queue.Queue[bytes | None] = queue.Queue()
    listener = threading.Thread(target=_listen, args=(process, lines), daemon=True)
    listener.start()
    try:
        yield _Child(process, lines)
    finally:
        _kill(process)
        listener.join(GRACE)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _listen(process: subprocess.Popen[bytes], lines: queue.Queue[bytes | None]) -> None:
    if process.stdout is not None:
        with suppress(ValueError):  # closed meanwhile
            for line in process.stdout:
                lines.put(line)
    lines.put(None)


def _leave(process: subprocess.Popen[bytes]) -> None:
    """Gives a process whose work is done the time to exit by itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its children, at once."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _how(process: subprocess.Popen[bytes]) -> str:
    """How a process ended that has closed its stdout."""
    _leave(process)
    code = process.poll()
    if code is None:
        return "closed its output and went on"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}" + (" (often: the machine's memory ran out)" if name == "SIGKILL" else "")
    return f"ended with exit code {code}"

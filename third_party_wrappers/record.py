"""run.json: what made a folder of outputs, and whether it is still the answer to a job."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from third_party_wrappers.declare import Check, Job, OutputError, Tool, Wrapper

SCHEMA = 1
FILE = "run.json"
SMALL = 1 << 20  # bytes: checkpoints up to here are told apart by content, larger ones by size and time


def sha256(path: Path) -> str:
    """Of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(tool: Tool) -> dict[str, Any]:
    """What tells one state of a tool from another: the repository's commit, the checkpoint's files."""
    return {
        "repository": None if tool.repository is None else commit(Path(tool.repository)),
        "checkpoint": None if tool.checkpoint is None else _checkpoint(Path(tool.checkpoint)),
    }


def commit(repository: Path) -> str | None:
    """The commit of a git repository; None when the folder is not the root of one."""
    try:
        said = subprocess.run(
            ["git", "-C", str(repository), "rev-parse", "--show-toplevel", "HEAD"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    root, head = said.stdout.split("\n")[:2]
    return head if Path(root).resolve() == repository.resolve() else None


def written(
    wrapper: Wrapper, job: Job, options: Mapping[str, Any], hashes: Mapping[str, str], **more: Any
) -> dict[str, Any]:
    """The record of a run. `more`: command, tool, seconds, or the files that were imported."""
    return {
        "schema": SCHEMA,
        "wrapper": wrapper.name,
        "wrapper_schema": wrapper.schema,
        "imported": False,
        "inputs": {name: {"path": str(job.inputs[name]), "sha256": digest} for name, digest in hashes.items()},
        "options": dict(options),
        **more,
    }


def read(folder: Path) -> dict[str, Any] | None:
    """The record of a folder; None when it has none that can be read."""
    try:
        record = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def same_inputs(record: Mapping[str, Any], hashes: Mapping[str, str]) -> bool:
    """Whether a folder was made from inputs of the same content. An import may have recorded only some of them."""
    known = {name: entry["sha256"] for name, entry in record["inputs"].items()}
    wanted = {name: digest for name, digest in hashes.items() if name in known or not record["imported"]}
    return known == wanted


def differences(record: Mapping[str, Any], wrapper: Wrapper, options: Mapping[str, Any], tool: Any) -> list[str]:
    """What about our own run is other than what is asked for now, the inputs apart. Imports answer to no options."""
    if record["imported"]:
        return []
    found = []
    if record["wrapper_schema"] != wrapper.schema:
        found.append(f"the wrapper's schema is now {wrapper.schema}, was {record['wrapper_schema']}")
    before = record["options"]
    for name in sorted(set(before) | set(options)):
        if before.get(name) != options.get(name):
            found.append(f"{name} is now {options.get(name)!r}, was {before.get(name)!r}")
    found += [f"another {part}" for part in ("repository", "checkpoint") if record["tool"].get(part) != tool[part]]
    return found


def check_outputs(folder: Path, checks: Mapping[str, Check], job: Job, tool: Tool) -> None:
    """Raises OutputError at the first output that is missing or not what it must be."""
    for name, check in checks.items():
        path = folder / name
        if not path.is_file():
            raise OutputError(path, "was not written")
        try:
            check(path, job, tool)
        except OutputError:
            raise
        except Exception as error:  # a file can be odd in more ways than a check foresees
            raise OutputError(path, f"cannot be checked ({type(error).__name__}: {error})") from error


def appear(work: Path, out: Path) -> None:
    """Makes a finished folder the one at `out`, in one rename; what stood there goes once the new one stands."""
    for path in [*work.rglob("*"), work]:
        _flush(path)
    old = work.with_name(work.name + "-old")
    had = os.path.lexists(out)
    if had:
        out.rename(old)
    try:
        work.rename(out)
    except OSError:
        if had:
            old.rename(out)
        raise
    if had and old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    elif had:
        old.unlink()


def _flush(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checkpoint(path: Path) -> str:
    """One digest over a checkpoint's files: their names, and content where small, else size and time."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    digest = hashlib.sha256()
    for file in files:
        about = file.stat()
        told = sha256(file) if about.st_size <= SMALL else f"{about.st_size} {about.st_mtime_ns}"
        digest.update(f"{file.relative_to(path.parent)} {told}\n".encode())
    return digest.hexdigest()

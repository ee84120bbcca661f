"""Reading files with errors that name them, and writing several so that the last one's presence means that all are there."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class SampleError(ValueError):
    """A file or folder that cannot be used: which one, what was found there and what was expected, in one sentence."""

    def __init__(self, file: Path, message: str) -> None:
        super().__init__(f"{file}: {message}")
        self.file = file


def read_bytes(path: Path) -> bytes:
    """Content of a file that is not empty. Raises SampleError that says why there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SampleError(path, f"cannot be read ({error.strerror or error})") from error
    if not data:
        raise SampleError(path, "is empty (0 bytes)")
    return data


def read_record(path: Path) -> dict[str, Any]:
    """The object in a JSON file, which may be wrapped in a list of one. Raises SampleError."""
    try:
        content = json.loads(read_bytes(path).decode("utf-8-sig"))
    except SampleError:
        raise
    except (ValueError, RecursionError) as error:
        raise SampleError(path, f"is not valid JSON ({error})") from error
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        raise SampleError(path, f"holds a {type(content).__name__}, expected one JSON object")
    return content


def sha256(path: Path) -> str:
    """Hash of a file's content. Raises SampleError when there is none."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def save_files(folder: Path, files: Mapping[str, str]) -> None:
    """Writes texts by file name: all under hidden names first, then renames in the given order."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {name: folder / f".{name}-{os.getpid()}" for name in files}
    try:
        for name, text in files.items():
            with open(hidden[name], "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        for name, path in hidden.items():
            os.replace(path, folder / name)
    finally:
        for path in hidden.values():
            path.unlink(missing_ok=True)

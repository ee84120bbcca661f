"""Folders and files that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(folder: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Gives a hidden temporary folder beside `folder`, renamed to it at the end, removed when anything fails.

    Everything is on the disk before the rename, so a folder that exists is complete, also after a power cut. With
    `overwrite` an existing folder is moved aside for the rename, and removed after it. Raises FileExistsError when
    `folder` exists already otherwise.
    """
    folder = Path(folder)
    if os.path.lexists(folder) and not overwrite:
        raise FileExistsError(f"{folder}: exists already; remove it first or choose another place")
    folder.parent.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    # mkdtemp makes a private folder; one made inside it has the permissions that the user's umask gives any other.
    content = hidden / "content"
    content.mkdir()
    try:
        yield content
        _flush(content)
        if overwrite and os.path.lexists(folder):
            _replace(folder, content, hidden / "old")
        else:
            content.rename(folder)
        _flush_entry(folder.parent)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def save_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file whole or not at all, over the one that stands there; makes its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with open(hidden, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)


def _replace(folder: Path, content: Path, old: Path) -> None:
    """Two renames; when the second fails the first is undone."""
    folder.rename(old)
    try:
        content.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _flush(folder: Path) -> None:
    """Waits until the files in the folder, and the folder itself, are on the disk."""
    for path in folder.rglob("*"):
        _flush_entry(path)
    _flush_entry(folder)


def _flush_entry(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

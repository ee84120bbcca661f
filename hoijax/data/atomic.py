"""A folder that appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a hidden temporary folder beside `folder`, renamed to it at the end, removed when anything fails.

    Raises FileExistsError when `folder` exists already: a folder that exists is complete and is not touched.
    """
    folder = Path(folder)
    if os.path.lexists(folder):
        raise FileExistsError(f"{folder}: exists already; remove it first or choose another place")
    folder.parent.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    # mkdtemp makes a private folder; one made inside it has the permissions that the user's umask gives any other.
    content = hidden / "content"
    content.mkdir()
    try:
        yield content
        content.rename(folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)

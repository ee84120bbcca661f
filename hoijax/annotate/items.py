"""The items of a tree of samples: their names, the confined way to their files, what was there when one looked."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hoijax.data.layout import NAMES, find_samples, sample_file
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample, SampleError


class Items(NamedTuple):
    """Sample folders by name (the path in the tree, with /). Names are only ever looked up here, never joined to a path."""

    tree: Path
    folders: Mapping[str, Path]


def find_items(tree: str | os.PathLike[str]) -> Items:
    """The samples of a tree that lie in it; those that a link brings in from elsewhere are left out by `load_item`.

    Raises: SampleError where `tree` is no folder or holds no sample.
    """
    root = Path(os.path.realpath(tree))
    folders = {readable(folder.relative_to(root).as_posix()): folder for folder in find_samples(root)}
    if not folders:
        raise SampleError(tree, "holds no sample folder")
    return Items(root, {readable(root.name) if name == "." else name: folder for name, folder in folders.items()})


def readable(name: str) -> str:
    """The name in characters that a page and the store can hold: bytes of a file's name that are no UTF-8 as \\xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def item_folder(items: Items, name: str) -> Path:
    """The folder of this item, all of whose files lie in the tree.

    Raises: SampleError where there is none, and where it or a file of it leads out of the tree.
    """
    if name not in items.folders:
        raise SampleError(items.tree, f"has no item {name!r}")
    folder = items.folders[name]
    for path in (folder, *files_of(folder)):
        if not Path(os.path.realpath(path)).is_relative_to(items.tree):
            raise SampleError(path, f"is a link that leads out of {items.tree}; only what lies in the tree is shown")
    return folder


def load_item(items: Items, name: str) -> Sample:
    """The sample of this name, called by it. Raises SampleError where `item_folder` does, and where it cannot be read."""
    folder = item_folder(items, name)
    try:
        return load_sample(folder)._replace(name=name)
    except MemoryError as error:
        raise SampleError(folder, "does not fit into the memory of this machine") from error


def files_of(folder: Path) -> list[Path]:
    """The files of a sample that the reader would open."""
    return list(_found(folder, tuple(NAMES)))


def _found(folder: Path, kinds: Sequence[str]) -> Iterator[Path]:
    found = (sample_file(folder, kind) for kind in kinds)
    return (path for path in found if path is not None)


def fingerprint(folder: Path, kinds: Sequence[str]) -> str:
    """SHA-256 over the contents of a sample's files of these kinds: what an annotator saw.

    Empty where one cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for path in _found(folder, kinds):
            if not path.is_file():  # a pipe would never end
                return ""
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return ""
    return digest.hexdigest()

"""Examples of a tree of samples, made once: a file for each in a cache folder, found again while the sample is the same."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
import trimesh

from hoijax.body import builtin
from hoijax.body import parts as body_parts
from hoijax.body.parts import PART_NAMES
from hoijax.data import images, person_parts, read
from hoijax.data.atomic import save_bytes
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.tasks.contact import data, parts
from hoijax.tasks.contact.data import FEATURE_FILE, PICTURE, ExampleOptions, Examples, example, stacked
from hoijax.tasks.contact.net import ContactInput

# What makes an example of a sample: a change in any of them finds no old files.
SOURCES: tuple[ModuleType, ...] = (data, parts, person_parts, body_parts, builtin, read, images)
LIBRARIES: tuple[ModuleType, ...] = (np, trimesh, cv2)
ARRAYS = ("human", "object", "image", "labels", "gaps")


def load_examples(
    folders: Mapping[str, Path],
    options: ExampleOptions,
    cache: Path,
    tell: Callable[[str, str], None],
    features: Path | None = None,
    labelled: bool = True,
    progress: Callable[[list[str]], Iterator[str]] = iter,
) -> Examples:
    """All examples (sample's name: its folder) that can be made; `tell(name, why)` hears of the others.

    `features`: a tree with NAME/clip.npy; the samples' own folders if None.
    Raises: ValueError where none is left.
    """
    found: dict[str, Examples] = {}
    for name in progress(list(folders)):
        try:
            found[name] = cached_example(folders[name], options, cache, features and features / name, labelled)
        except SampleError as error:
            tell(name, str(error))
    if not found:
        raise ValueError("none of the samples can be used")
    return stacked(list(found), list(found.values()))


def cached_example(
    folder: Path, options: ExampleOptions, cache: Path, features: Path | None, labelled: bool
) -> Examples:
    """One example from the cache; made and put there where the sample's files, or the options, are others."""
    feature = (features or folder) / FEATURE_FILE if options.feature else None
    path = cache / f"{fingerprint(folder, options, feature, labelled)}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            human, thing, image, labels, gaps = (file[key] for key in ARRAYS)
        return Examples((folder.name,), ContactInput(human, thing, image), labels, gaps)
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        pass  # there is none, or half of one: the sample itself tells
    made = example(load_sample(folder), options, feature, labelled)
    buffer = BytesIO()
    arrays: dict[str, Any] = dict(zip(ARRAYS, (*made.given[:3], made.labels, made.gaps)))
    np.savez(buffer, **arrays)
    save_bytes(path, buffer.getvalue())
    return made


def fingerprint(folder: Path, options: ExampleOptions, feature: Path | None, labelled: bool) -> str:
    """Changes with any file of the sample (name, size, time), with the options, and with what makes an example of it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files += [feature] if feature is not None and feature.exists() else []
    states = [(str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    record = json.dumps([recipe(SOURCES), PART_NAMES, PICTURE, asdict(options), labelled, states])
    return hashlib.sha256(record.encode()).hexdigest()[:32]


@functools.cache
def recipe(sources: tuple[ModuleType, ...]) -> str:
    """A digest of the code that makes an example: the modules' text and the libraries' versions."""
    digest = hashlib.sha256()
    for module in sources:
        digest.update(Path(str(module.__file__)).read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library.__name__} {library.__version__}\n".encode())
    return digest.hexdigest()

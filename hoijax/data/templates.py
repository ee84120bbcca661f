"""A library of template meshes: <category>/<name>.<suffix> in a folder, an index, and what each looks like from all sides.

`index_library` reads the meshes once and writes index.json and views/<category>/<name>.npy; `load_library` reads these.
Silhouettes of a template from VIEWS directions stand in its views, a bit a cell.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import trimesh
from jaxtyping import Array, Float, UInt8

from hoijax.data.atomic import save_bytes
from hoijax.data.layout import load_bytes
from hoijax.data.meshfile import SUFFIXES, load_any_mesh
from hoijax.data.parameters import load_json
from hoijax.data.sample import ColoredMesh, SampleError
from hoijax.data.sources.hico_names import plain_name
from hoijax.mesh.rotation_search import silhouette_views, uniform_rotations

SCHEMA = 1  # of index.json: another one is made anew
VIEWS, SIDE = 1000, 32  # directions, about 17 degrees apart; cells each way
POINTS = 2000  # on the surface, of which silhouettes are made
WITH_OTHERS = (".gltf",)  # formats that refer to further files: their own bytes do not tell all
INDEX, ABOUT = "index.json", "library.json"


class Template(NamedTuple):
    """One mesh of a library. `file` is its path from the library's folder; `size` its extents, metres where known."""

    category: str
    name: str
    file: str
    faces: int
    watertight: bool
    size: tuple[float, float, float] | None
    digest: str


class Library(NamedTuple):
    """Templates, the silhouettes of each as packed bits, other names of categories, and meshes set aside with reasons."""

    folder: Path
    templates: tuple[Template, ...]
    views: UInt8[np.ndarray, "t r b"]
    synonyms: Mapping[str, str]
    set_aside: tuple[tuple[str, str], ...]


def load_library(folder: str | os.PathLike[str]) -> Library:
    """The indexed library in a folder. Raises SampleError where there is no index, or one that lacks its files."""
    folder = Path(folder)
    if not os.path.isfile(folder / INDEX):
        raise SampleError(folder, f"has no {INDEX}: index the library first (experiments/templates.py index)")
    record = load_json(folder / INDEX)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise SampleError(folder / INDEX, f"is no index of schema {SCHEMA}: index the library again")
    try:
        templates = tuple(_template(entry) for entry in record["templates"])
        aside = tuple((str(entry["file"]), str(entry["reason"])) for entry in record["set_aside"])
    except (KeyError, TypeError) as error:
        raise SampleError(folder / INDEX, f"an entry lacks {error}: index the library again") from error
    views = [_load_views(folder, template) for template in templates]
    empty = np.zeros((0, VIEWS, SIDE * SIDE // 8), np.uint8)
    return Library(folder, templates, np.stack(views) if views else empty, _about(folder)["synonyms"], aside)


def index_library(folder: str | os.PathLike[str], seen: Callable[[str], None] | None = None) -> Library:
    """Reads every mesh that is new or has changed, writes the index after each, and returns the library.

    So a run that was stopped goes on. Meshes that are no good are set aside in the index with the reason; `seen` is told
    each file's name. Raises SampleError for a folder that is none or holds no meshes in folders of categories.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise SampleError(folder, "is not a folder, expected a library of <category>/<name>.obj")
    files = list(mesh_files(folder))
    if not files:
        raise SampleError(folder, f"holds no mesh; expected <category>/<name> with one of {', '.join(SUFFIXES)}")
    metres = bool(_about(folder)["metres"])
    known, bad = _indexed(folder)
    templates: list[Template] = []
    aside: list[dict[str, str]] = []
    taken: dict[tuple[str, str], str] = {}
    for place in files:
        key, digest = str(place), ""
        own = known.get(key)
        try:
            other = taken.get((place.parts[0], place.stem))
            if other is not None:
                raise SampleError(folder / place, f"has the name of {other}")
            digest = hashlib.sha256(load_bytes(folder / place)).hexdigest()
            if bad.get(key, {}).get("digest") == digest and place.suffix.lower() not in WITH_OTHERS:
                raise SampleError(folder / place, bad[key]["reason"])
            if own is None or own.digest != digest or (own.size is not None) != metres or not _has_views(folder, own):
                own = _new_template(folder, place, digest, metres)
            templates.append(own)
            taken[place.parts[0], place.stem] = key
        except SampleError as error:
            aside.append({"file": key, "reason": error.message, "digest": digest})
        if own is not known.get(key):
            _save_index(folder, templates, aside, files)
        if seen is not None:
            seen(key)
    _save_index(folder, templates, aside, files)
    return load_library(folder)


def mesh_files(folder: Path) -> Iterator[Path]:
    """Meshes of a library, as sorted paths <category>/<name> from its folder."""
    for category in sorted(entry for entry in os.listdir(folder) if os.path.isdir(folder / entry)):
        if category == "views" or category.startswith("."):
            continue
        for name in sorted(os.listdir(folder / category)):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(category, name)


def surface_points(mesh: ColoredMesh, count: int = POINTS) -> Float[Array, "p 3"]:
    """Points spread over the surface, about the middle of its box, the box's diagonal 1. The same for the same mesh.

    Raises ValueError for a surface without area.
    """
    verts = mesh.verts.astype(np.float64)
    low, high = verts[mesh.faces].min((0, 1)), verts[mesh.faces].max((0, 1))
    solid = trimesh.Trimesh(
        (verts - (low + high) / 2) / max(np.linalg.norm(high - low), 1e-12), mesh.faces, process=False
    )
    if not solid.area > 1e-9:
        raise ValueError("its surface has no area")
    return jnp.asarray(trimesh.sample.sample_surface(solid, count, seed=0)[0], jnp.float32)


def _new_template(folder: Path, place: Path, digest: str, metres: bool) -> Template:
    """Reads a mesh and writes its views."""
    mesh = load_any_mesh(folder / place)
    try:
        points = surface_points(mesh)
    except ValueError as error:
        raise SampleError(folder / place, str(error)) from error
    views = np.asarray(silhouette_views(points, uniform_rotations(VIEWS), SIDE)).reshape(VIEWS, -1)
    data = io.BytesIO()
    np.save(data, np.packbits(views, axis=1))
    save_bytes(_views_path(folder, place.parts[0], place.stem), data.getvalue())
    corners = mesh.verts[mesh.faces].reshape(-1, 3)
    x, y, z = (float(extent) for extent in np.ptp(corners, axis=0))
    solid = trimesh.Trimesh(mesh.verts, mesh.faces, process=False)
    solid.merge_vertices()  # some formats list the corners of each triangle anew
    return Template(
        plain_name(place.parts[0]),
        place.stem,
        str(place),
        len(mesh.faces),
        bool(solid.is_watertight),
        (x, y, z) if metres else None,
        digest,
    )


def _views_path(folder: Path, category: str, name: str) -> Path:
    return folder / "views" / category / f"{name}.npy"


def _views_of(folder: Path, template: Template) -> Path:
    return _views_path(folder, Path(template.file).parts[0], template.name)


def _has_views(folder: Path, template: Template) -> bool:
    try:
        _load_views(folder, template)
    except SampleError:
        return False
    return True


def _load_views(folder: Path, template: Template) -> UInt8[np.ndarray, "r b"]:
    path = _views_of(folder, template)
    try:
        views = np.load(io.BytesIO(load_bytes(path)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SampleError(path, f"is no array ({error}): index the library again") from error
    if views.dtype != np.uint8 or views.shape != (VIEWS, SIDE * SIDE // 8):
        raise SampleError(path, f"has shape {views.shape} of {views.dtype}: index the library again")
    return views


def _template(entry: Mapping[str, Any]) -> Template:
    size = entry["size"]
    values = {**{key: entry[key] for key in Template._fields}, "size": None if size is None else tuple(size)}
    return Template(**values)


def _indexed(folder: Path) -> tuple[dict[str, Template], dict[str, dict[str, str]]]:
    """What an earlier run has left: templates and meshes set aside, by file. Nothing where its index is of no use."""
    try:
        record = load_json(folder / INDEX)
        if record["schema"] != SCHEMA:
            return {}, {}
        templates = [_template(entry) for entry in record["templates"]]
        return {one.file: one for one in templates}, {entry["file"]: entry for entry in record["set_aside"]}
    except (SampleError, KeyError, TypeError):
        return {}, {}


def _save_index(folder: Path, templates: list[Template], aside: list[dict[str, str]], files: list[Path]) -> None:
    """The index so far; entries of an earlier one stay for files that this run has not come to yet."""
    known, bad = _indexed(folder)
    done = {one.file for one in templates} | {entry["file"] for entry in aside}
    waiting = [str(place) for place in files if str(place) not in done]
    everything = [*templates, *(known[key] for key in waiting if key in known)]
    all_aside = [*aside, *(bad[key] for key in waiting if key in bad)]
    record = {"schema": SCHEMA, "templates": [one._asdict() for one in everything], "set_aside": all_aside}
    save_bytes(folder / INDEX, (json.dumps(record, indent=1) + "\n").encode())


def _about(folder: Path) -> dict[str, Any]:
    """library.json, which the library's owner writes: whether meshes are in metres, other names of categories."""
    if not os.path.exists(folder / ABOUT):
        return {"metres": False, "synonyms": {}}
    record = load_json(folder / ABOUT)
    synonyms = record.get("synonyms", {}) if isinstance(record, dict) else None
    if not isinstance(synonyms, dict) or not all(isinstance(name, str) for name in synonyms.values()):
        raise SampleError(folder / ABOUT, 'expected {"metres": true or false, "synonyms": {"sofa": "couch", ...}}')
    return {
        "metres": bool(record.get("metres", False)),
        "synonyms": {plain_name(other): plain_name(name) for other, name in synonyms.items()},
    }

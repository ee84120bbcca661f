"""Template libraries: indexing real files, going on, what is set aside; finding a known mesh at a known rotation."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.coarse.view import Eye, mesh_depth
from hoijax.data.meshfile import load_any_mesh
from hoijax.data.objfile import save_mesh
from hoijax.data.sample import ColoredMesh, SampleError
from hoijax.data.synthetic.library import builtin_templates, save_builtin_library
from hoijax.data.template_search import TRUST, known_category, nearest_templates, view_overlaps
from hoijax.data.templates import SIDE, VIEWS, Library, index_library, load_library, mesh_files
from hoijax.mesh.rotation_search import uniform_rotations


def corner() -> trimesh.Trimesh:
    """Three arms of different lengths and widths: no symmetry, so that one rotation fits best."""
    arms = [
        ((1.0, 0.2, 0.2), (0.5, 0.1, 0.1)),
        ((0.3, 0.7, 0.2), (0.15, 0.35, 0.1)),
        ((0.2, 0.2, 0.45), (0.1, 0.1, 0.3)),
    ]
    parts = [trimesh.creation.box(size, trimesh.transformations.translation_matrix(at)) for size, at in arms]
    return trimesh.util.concatenate(parts)


def colored(mesh: trimesh.Trimesh) -> ColoredMesh:
    verts = np.asarray(mesh.vertices, np.float32)
    return ColoredMesh(verts, np.asarray(mesh.faces, np.int32), np.full_like(verts, 0.5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four meshes of three categories in three formats, and four files that are none."""
    root = tmp_path_factory.mktemp("library")
    for category in ("corner piece", "ball", "chair"):
        (root / category).mkdir()
    save_mesh(root / "corner piece" / "corner.obj", colored(corner()))
    trimesh.creation.icosphere(3).export(root / "ball" / "round.ply")
    trimesh.creation.box((1, 2, 0.2)).export(root / "chair" / "plank.stl")
    save_mesh(root / "chair" / "block.obj", colored(trimesh.creation.box((1, 1.1, 1.2))))
    (root / "chair" / "nothing.obj").write_text("# empty\n")
    (root / "chair" / "text.ply").write_text("this is no mesh")
    (root / "ball" / "flat.obj").write_text("v 0 0 0\nv 0 0 0\nv 0 0 0\nf 1 2 3\n")
    (root / "chair" / "empty.obj").touch()
    (root / "library.json").write_text(json.dumps({"metres": True, "synonyms": {"Globe": "ball"}}))
    return root


@pytest.fixture(scope="module")
def library(folder: Path) -> Library:
    return index_library(folder)


def seen(mesh: ColoredMesh, rotation: np.ndarray, size: int = 160) -> np.ndarray:
    """Its mask from afar, by ray casting."""
    verts = mesh.verts.astype(np.float64)
    middle = (verts.min(0) + verts.max(0)) / 2
    turned = (verts - middle) @ rotation.T / np.ptp(verts, axis=0).max()
    eye = Eye(np.array([40.0, 40.0]) * size, np.array([size / 2, size / 2]), (size, size))
    return mesh_depth(turned + [0, 0, 100.0], mesh.faces, eye) > 0


def test_the_index_says_what_each_mesh_is(library: Library, folder: Path) -> None:
    found = {template.name: template for template in library.templates}
    assert sorted(found) == ["block", "corner", "plank", "round"]
    assert (found["block"].category, found["block"].faces, found["block"].watertight) == ("chair", 12, True)
    assert found["plank"].watertight  # an STL holds the corners of each triangle anew
    np.testing.assert_allclose(found["block"].size, (1, 1.1, 1.2), rtol=1e-6)
    assert library.views.shape == (4, VIEWS, SIDE * SIDE // 8)
    reasons = dict(library.set_aside)
    assert sorted(reasons) == ["ball/flat.obj", "chair/empty.obj", "chair/nothing.obj", "chair/text.ply"]
    assert "no area" in reasons["ball/flat.obj"]
    assert load_library(folder).templates == library.templates


def test_views_are_silhouettes(library: Library) -> None:
    bits = np.unpackbits(library.views, axis=2).reshape(4, VIEWS, SIDE, SIDE).astype(bool)
    names = [template.name for template in library.templates]
    ball = bits[names.index("round")]
    radius = np.hypot(*(np.indices((SIDE, SIDE)) + 0.5 - SIDE / 2)) * 2 / SIDE
    overlap = (ball & (radius < 1)).sum((1, 2)) / (ball | (radius < 1)).sum((1, 2))
    assert overlap.min() > 0.9
    mesh = load_any_mesh(library.folder / "corner piece" / "corner.obj")
    for i in (3, 500):
        mask = seen(mesh, np.asarray(uniform_rotations(VIEWS)[i], np.float64))
        scores = view_overlaps(library.views, mask, np.zeros_like(mask))
        which = np.unravel_index(scores.argmax(), scores.shape)
        assert names[which[0]] == "corner"
        assert scores[which[0], i] > 0.8


def test_indexing_goes_on_where_it_stopped(folder: Path, library: Library) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "views").rglob("*.npy")}
    whole = (folder / "index.json").read_text()
    record = json.loads(whole)
    record["templates"] = record["templates"][:2]
    (folder / "index.json").write_text(json.dumps(record))
    names: list[str] = []
    again = index_library(folder, names.append)
    assert again.templates == library.templates
    assert names == [str(place) for place in mesh_files(folder)]
    assert (folder / "index.json").read_text() == whole
    redone = [path.stem for path in stamps if path.stat().st_mtime_ns != stamps[path]]
    assert sorted(redone) == sorted(template.name for template in library.templates[2:])


def test_a_mesh_that_changed_is_read_again(folder: Path, library: Library, tmp_path: Path) -> None:
    copy = tmp_path / "library"
    (copy / "chair").mkdir(parents=True)
    save_mesh(copy / "chair" / "a.obj", colored(trimesh.creation.box((1, 1, 1))))
    first = index_library(copy).templates[0]
    assert first.size is None
    save_mesh(copy / "chair" / "a.obj", colored(trimesh.creation.icosphere(1)))
    (second,) = index_library(copy).templates
    assert (first.faces, second.faces) == (12, 80)
    (copy / "chair" / "a.obj").unlink()
    with pytest.raises(SampleError, match="holds no mesh"):
        index_library(copy)


def test_a_damaged_library_says_so(folder: Path, library: Library, tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"has no index\.json"):
        load_library(tmp_path)
    views = folder / "views" / "chair" / "plank.npy"
    good = views.read_bytes()
    views.write_bytes(good[:-10])
    with pytest.raises(SampleError, match="index the library again"):
        load_library(folder)
    assert index_library(folder).templates == library.templates
    assert views.read_bytes() == good


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_nearest_is_the_mesh_itself_as_it_was_turned(library: Library, seed: int) -> None:
    rotation = Rotation.random(random_state=seed).as_matrix()
    mesh = load_any_mesh(library.folder / "corner piece" / "corner.obj")
    found = nearest_templates(library, None, seen(mesh, rotation), 4)
    assert (found.by, len(found.matches)) == ("everything", 4)
    best = found.matches[0]
    assert best.template.name == "corner"
    assert best.score > 0.85
    assert best.trust == pytest.approx(best.score * TRUST["everything"])
    # From afar nearly the same outline may come from two sides: not the rotation but what it shows is compared.
    np.testing.assert_allclose(best.rotation @ best.rotation.T, np.eye(3), atol=1e-5)
    mask, again = seen(mesh, rotation), seen(mesh, best.rotation)
    assert (mask & again).sum() / (mask | again).sum() > 0.8


def test_what_is_hidden_or_beyond_the_edge_does_not_count(library: Library) -> None:
    mesh = load_any_mesh(library.folder / "corner piece" / "corner.obj")
    mask = seen(mesh, Rotation.random(random_state=1).as_matrix())
    columns = np.flatnonzero(mask.any(0))
    middle = int(columns.mean())
    hidden = np.zeros_like(mask)
    hidden[:, :middle] = True
    cut = mask[:, middle:]

    def score(part: np.ndarray, behind: np.ndarray | None) -> float:
        return nearest_templates(library, "corner piece", part, 1, behind).matches[0].score

    assert score(mask & ~hidden, hidden) > 0.75
    assert score(cut, None) > 0.75


def test_categories_have_other_names(library: Library) -> None:
    names = {
        "chair": "chair",
        "stool": "chair",
        "globe": "ball",
        "Corner_piece": "corner piece",
        "whale": None,
        "couch": None,
    }
    assert {name: known_category(library, name) for name in names} == names
    mask = np.ones((20, 20), bool)
    globe, whale = (nearest_templates(library, name, mask, 9) for name in ("globe", "whale"))
    assert (globe.by, len(globe.matches), whale.by, len(whale.matches)) == ("synonym", 1, "everything", 4)
    assert globe.matches[0].trust == pytest.approx(globe.matches[0].score * TRUST["synonym"])
    assert "no template of category 'whale'" in whale.note


def test_nothing_to_compare_is_an_error(library: Library) -> None:
    with pytest.raises(ValueError, match="empty"):
        nearest_templates(library, "chair", np.zeros((9, 9), bool))
    with pytest.raises(ValueError, match="holds no template"):
        nearest_templates(library._replace(templates=()), "chair", np.ones((9, 9), bool))


@pytest.mark.slow
def test_the_builtin_objects_make_a_library(tmp_path: Path) -> None:
    library = index_library(save_builtin_library(tmp_path / "builtin"))
    assert len(library.templates) == sum(len(makers) for makers in builtin_templates().values())
    assert library.set_aside == ()
    assert all(template.watertight and template.size is not None for template in library.templates)
    with pytest.raises(FileExistsError):
        save_builtin_library(tmp_path / "builtin")


def test_a_name_is_free_again_when_the_other_is_gone(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    for name in ("a.obj", "a.ply"):
        trimesh.creation.box().export(tmp_path / "box" / name)
    assert dict(index_library(tmp_path).set_aside) == {"box/a.ply": "has the name of box/a.obj"}
    (tmp_path / "box" / "a.obj").unlink()
    library = index_library(tmp_path)
    assert library.set_aside == ()
    assert [template.file for template in library.templates] == ["box/a.ply"]

"""Result folders: complete or absent, the same when read again, and readable by others."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from skimage.color import rgb2xyz
from skimage.color.colorconv import xyz_from_rgb

from hoijax.data.gaussian_ply import COLUMNS, load_gaussians, save_gaussians
from hoijax.data.measure import moved
from hoijax.data.results import Result, find_results, is_finished, load_result, load_summary, save_result, summary
from hoijax.data.sample import Sample, SampleError
from hoijax.data.scene_glb import TO_GLTF
from hoijax.data.strict_json import from_strict, strict
from hoijax.geometry import rotation_matrix
from hoijax.types import Gaussians

FILES = {
    *("result.json", "object_mesh.obj", "human_mesh.obj", "scene.glb", "smplx_parameters.json", "contact.json"),
    *("gaussians.ply", "history.npz"),
}


def strict_loads(text: str) -> dict:
    """Parses JSON as the standard has it: NaN and Infinity are errors."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} in JSON")

    return json.loads(text, parse_constant=refuse)


def assert_same(a: object, b: object, path: str = "result") -> None:
    """Equal structure and strings, numbers equal in float32, NaN equal to NaN."""
    if isinstance(a, dict):
        assert isinstance(b, dict), path
        assert list(a) == list(b), path
        for key in a:
            assert_same(a[key], b[key], f"{path}.{key}")
    elif hasattr(a, "_fields"):
        for key in a._fields:
            assert_same(getattr(a, key), getattr(b, key), f"{path}.{key}")
    elif isinstance(a, list):
        assert isinstance(b, list), path
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}[{i}]")
    elif isinstance(a, (str, bool)) or (isinstance(a, tuple) and a and isinstance(a[0], str)):
        assert a == b, path
    else:
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=2e-6, atol=2e-6, err_msg=path)


def random_gaussians(count: int, seed: int = 0) -> Gaussians:
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(count, 3, 3)) * np.exp(rng.uniform(-7, -3, (count, 1, 3)))
    return Gaussians(
        means=np.float32(rng.normal(size=(count, 3)) + [0, 0, 25]),
        covs=np.float32(axes @ axes.swapaxes(1, 2)),
        opacity=np.float32(rng.uniform(0.01, 0.99, count)),
        rgb=np.float32(rng.uniform(size=(count, 3))),
    )


@pytest.fixture(scope="module")
def result(sample: Sample) -> Result:
    """A made-up outcome for the small sample: the object grown, turned and moved."""
    rng = np.random.default_rng(1)
    rotation = np.asarray(rotation_matrix(jnp.array([0.1, -0.2, 0.3])), np.float64)
    translation, scale, pivot = np.array([0.01, 0.02, -0.2]), 1.2, sample.object.verts.mean(0).astype(np.float64)
    stage = {"name": "render", "steps": 3, "weights": {"l1_object": 1.0}, "rates": {"object.rotvec": 0.01}}
    return Result(
        name=sample.name,
        config={"preset": "paper", "image_size": 256, "stages": [stage]},
        rotation=rotation,
        translation=translation,
        scale=scale,
        pivot=pivot,
        camera=sample.camera,
        pose=sample.pose,
        human=sample.human,
        object=moved(sample.object, scale, rotation, translation, pivot),
        gaussians=random_gaussians(50),
        contact=rng.uniform(size=len(sample.human.verts)),
        part_scores={"left palm": 0.125, "head": 0.75},
        contact_parts=("left palm",),
        metrics={"iou_object": {"start": 0.44, "result": 0.95, "annotation": 0.64}},
        losses={"l1_object": 0.01},
        reasons={"contact": "the contact region is empty"},
        history={"loss": np.array([3.0, 2.0, 1.0], np.float32), "contact": np.array([np.nan, np.nan, 0], np.float32)},
        seconds={"compile": 3.5, "run": 5.25},
        dropped=0,
        notes=("human: held fixed",),
    )


def test_round_trip(result: Result, tmp_path: Path) -> None:
    save_result(result, tmp_path / "a b" / "é")
    assert {path.name for path in (tmp_path / "a b" / "é").iterdir()} == FILES
    again = load_result(tmp_path / "a b" / "é")
    same = result._replace(gaussians=again.gaussians)
    assert_same(same, again)
    np.testing.assert_allclose(again.gaussians.means, result.gaussians.means, atol=2e-6)
    np.testing.assert_allclose(again.gaussians.covs, result.gaussians.covs, rtol=1e-3, atol=1e-9)
    assert again.human.rgb.dtype == np.float32
    # What the JSON states is exact, so a second round is bit for bit.
    assert again.scale == result.scale
    assert_same(summary(result), load_summary(tmp_path / "a b" / "é"))
    assert find_results(tmp_path) == [tmp_path / "a b" / "é"]
    np.testing.assert_array_equal(again.rotation, result.rotation)


def test_the_stated_similarity_takes_the_coarse_object_to_the_result(result: Result, sample: Sample, tmp_path) -> None:
    save_result(result, tmp_path / "r")
    record = strict_loads((tmp_path / "r" / "result.json").read_text())["object"]
    pivot = np.array(record["pivot"])
    moved = record["scale"] * (sample.object.verts - pivot) @ np.array(record["rotation"]).T
    moved += pivot + record["translation"]
    mesh = trimesh.load(tmp_path / "r" / "object_mesh.obj", process=False)
    np.testing.assert_allclose(moved, mesh.vertices, atol=1e-6)


def test_json_is_strict_and_says_why_a_number_is_missing(result: Result, tmp_path: Path) -> None:
    metrics = {"co2": {"start": np.nan, "result": np.inf}, "iou_object": {"start": np.float32(0.5), "result": 0.9}}
    score = np.array([0.1, np.nan, 0.3] + [0.5] * (len(result.human.verts) - 3))
    odd = result._replace(metrics=metrics, contact=score, losses={"contact": -np.inf})
    save_result(odd, tmp_path / "r")
    record = strict_loads((tmp_path / "r" / "result.json").read_text())
    assert record["metrics"]["co2"] == {"start": None, "result": None}
    assert record["nulls"]["metrics/co2/start"].startswith("nan: the sample cannot tell")
    assert set(record["nulls"]) == {"metrics/co2/start", "metrics/co2/result", "losses/contact"}
    assert strict_loads((tmp_path / "r" / "contact.json").read_text())["nulls"] == {
        "vertex_scores/1": "nan: no score was computed"
    }
    again = load_result(tmp_path / "r")
    assert np.isnan(again.metrics["co2"]["start"])
    assert again.metrics["co2"]["result"] == np.inf
    assert again.losses["contact"] == -np.inf
    np.testing.assert_array_equal(np.isnan(again.contact), np.isnan(score))


def test_strict_json_restores_and_refuses() -> None:
    content = {"a": [1.0, float("nan"), {"b": float("-inf")}], "c": np.arange(3), "d": None, "e": jnp.float32(2)}
    again = from_strict(json.loads(json.dumps(strict(content, {}), allow_nan=False)))
    assert again["a"][0] == 1
    assert np.isnan(again["a"][1])
    assert again["a"][2]["b"] == -np.inf
    assert again["c"] == [0, 1, 2]
    assert again["e"] == 2
    with pytest.raises(TypeError, match="x/y: JSON cannot hold a set"):
        strict({"x": {"y": {1}}}, {})


def test_result_json_tells_what_made_it(result: Result, tmp_path: Path) -> None:
    save_result(result, tmp_path / "r")
    record = strict_loads((tmp_path / "r" / "result.json").read_text())
    assert record["schema"] == 1
    assert record["preset"] == result.config["preset"]
    assert record["options"]["stages"][0]["weights"] == result.config["stages"][0]["weights"]
    assert record["software"]["jax"] == jax.__version__
    assert record["device"].startswith("cpu")
    assert record["seconds"]["compile"] == result.seconds["compile"]


@pytest.mark.parametrize("name", ["result.json", "../page.html", "a/b.html"])
def test_a_refused_extra_file_leaves_nothing(result: Result, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="extra file"):
        save_result(result, tmp_path / "r", {"page.html": b"<p>", name: b""})
    assert list(tmp_path.iterdir()) == []
    assert not is_finished(tmp_path / "r")


KILLED = """
import os, signal, sys
from pathlib import Path
from hoijax.data.atomic import new_folder
with new_folder(sys.argv[1], overwrite=True) as part:
    (part / "result.json").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_no_folder_and_no_damage(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "new"], timeout=60)
    assert done.returncode == -9
    assert not (tmp_path / "new").exists()
    assert not is_finished(tmp_path / "new")
    assert find_results(tmp_path) == []
    old = tmp_path / "old"
    old.mkdir()
    (old / "result.json").write_text("old")
    subprocess.run([sys.executable, "-c", KILLED, old], timeout=60)
    assert (old / "result.json").read_text() == "old"


def test_an_existing_folder_is_kept_unless_told(result: Result, tmp_path: Path) -> None:
    save_result(result, tmp_path / "r")
    with pytest.raises(FileExistsError, match="exists already"):
        save_result(result._replace(scale=2.0), tmp_path / "r")
    assert load_result(tmp_path / "r").scale == result.scale
    save_result(result._replace(scale=2.0), tmp_path / "r", {"page.html": b"<p>"}, overwrite=True)
    assert load_result(tmp_path / "r").scale == 2
    assert (tmp_path / "r" / "page.html").read_bytes() == b"<p>"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_gaussians_lie_on_the_meshes(result: Result, tmp_path: Path) -> None:
    at_human = np.float32(result.human.verts[:50] + np.asarray(result.pose.translation))
    save_result(result._replace(gaussians=result.gaussians._replace(means=at_human)), tmp_path / "r")
    stored = np.asarray(load_gaussians(tmp_path / "r" / "gaussians.ply").means)
    np.testing.assert_allclose(stored, result.human.verts[:50], atol=1e-6)


def test_load_names_the_file_that_is_wrong(result: Result, tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"nowhere: holds no result\.json"):
        load_result(tmp_path / "nowhere")
    save_result(result, tmp_path / "r")
    path = tmp_path / "r" / "result.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "schema": 99}))
    with pytest.raises(SampleError, match="has schema 99"):
        load_result(tmp_path / "r")
    path.write_text(json.dumps({key: value for key, value in record.items() if key != "seconds"}))
    with pytest.raises(SampleError, match="seconds"):
        load_result(tmp_path / "r")


def test_gaussians_reproduce_covariances_in_the_standard_layout(tmp_path: Path) -> None:
    gaussians = random_gaussians(500)
    save_gaussians(tmp_path / "g.ply", gaussians)
    # trimesh reads PLY independently of our reader.
    columns = trimesh.load(tmp_path / "g.ply").metadata["_ply_raw"]["vertex"]["data"]
    assert columns.dtype.names == COLUMNS
    quat = np.stack([columns[f"rot_{k}"] for k in range(4)], 1).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(quat, axis=1), 1, atol=1e-6)
    w, x, y, z = quat.T
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    axes = rotation * np.exp(np.stack([columns[f"scale_{k}"] for k in range(3)], 1))[:, None]
    spread = np.abs(gaussians.covs).max((1, 2))
    assert (np.abs(axes @ axes.swapaxes(1, 2) - gaussians.covs).max((1, 2)) / spread).max() < 1e-5
    np.testing.assert_allclose(1 / (1 + np.exp(-columns["opacity"])), gaussians.opacity, atol=1e-6)
    np.testing.assert_allclose(0.5 + 0.28209479177387814 * columns["f_dc_1"], gaussians.rgb[:, 1], atol=1e-6)
    np.testing.assert_allclose(columns["z"], gaussians.means[:, 2], atol=1e-6)
    again = load_gaussians(tmp_path / "g.ply")
    np.testing.assert_allclose(again.means, gaussians.means, atol=3e-6)
    assert (np.abs(again.covs - gaussians.covs).max((1, 2)) / spread).max() < 1e-5


def test_extreme_gaussians_stay_finite(tmp_path: Path) -> None:
    flat = np.zeros((3, 3, 3), np.float32)
    flat[1, 0, 0] = 1e-4
    flat[2] = 1e-6 * np.eye(3)
    opacity = np.array([0.0, 1.0, 1e-5], np.float32)
    save_gaussians(tmp_path / "g.ply", Gaussians(np.zeros((3, 3)), flat, opacity, np.full((3, 3), 2.0)))
    again = load_gaussians(tmp_path / "g.ply")
    assert all(np.isfinite(value).all() for value in again)
    np.testing.assert_allclose(again.opacity, opacity, atol=1e-6)
    np.testing.assert_allclose(again.covs, flat, atol=1e-9)


def test_a_cut_or_foreign_ply_is_refused(tmp_path: Path) -> None:
    save_gaussians(tmp_path / "g.ply", random_gaussians(10))
    data = (tmp_path / "g.ply").read_bytes()
    (tmp_path / "cut.ply").write_bytes(data[:-5])
    with pytest.raises(SampleError, match="cut off"):
        load_gaussians(tmp_path / "cut.ply")
    trimesh.creation.box().export(tmp_path / "box.ply")
    with pytest.raises(SampleError, match="expected x, y, z"):
        load_gaussians(tmp_path / "box.ply")


def srgb_decoded(rgb: np.ndarray) -> np.ndarray:
    """Linear light of sRGB colours, by scikit-image (its XYZ conversion undone by its own matrix)."""
    return rgb2xyz(rgb) @ np.linalg.inv(xyz_from_rgb).T


def test_the_scene_opens_upright_with_its_colours(result: Result, tmp_path: Path) -> None:
    save_result(result, tmp_path / "r")
    scene = trimesh.load(tmp_path / "r" / "scene.glb", process=False)
    assert set(scene.geometry) == {"human", "object"}
    for name, mesh in (("human", result.human), ("object", result.object)):
        loaded = scene.geometry[name]
        np.testing.assert_allclose(loaded.vertices, mesh.verts * TO_GLTF, atol=1e-6)
        np.testing.assert_array_equal(loaded.faces, mesh.faces)
        colors = loaded.visual.vertex_attributes["color"]
        np.testing.assert_allclose(colors[:, :3] / 255, srgb_decoded(mesh.rgb), atol=1 / 255)
    assert np.linalg.det(np.diag(TO_GLTF)) == 1  # a rotation: nothing is mirrored

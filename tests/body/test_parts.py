"""The 34 parts of the built-in body, part names, a user's own map, and the parts of a mesh that is already posed."""

import json
from pathlib import Path

import igl
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse.csgraph

from hoijax.body.builtin import builtin_body
from hoijax.body.outfit import Outfit, outfit_rgb, part_colors
from hoijax.body.parts import ISLAND, PART_NAMES, body_parts, load_parts, parts_for_mesh, read_part_name
from hoijax.body.smplx import fixed_body, pose_body, zero_pose
from hoijax.types import Body


@pytest.fixture(scope="module")
def parts() -> np.ndarray:
    return body_parts(builtin_body())


def where(parts: np.ndarray, name: str) -> np.ndarray:
    return parts == PART_NAMES.index(name)


def test_names() -> None:
    assert len(PART_NAMES) == len(set(PART_NAMES)) == 34
    for text in ("mouse", "Mouth", " MOUSE "):
        assert read_part_name(text) == "mouth"
    for text in ("left_lower_arm", "Left Lower-Arm", "leftLowerArm", "left lower arm"):
        assert read_part_name(text) == "left lower arm"
    assert all(read_part_name(name) == name for name in PART_NAMES)
    with pytest.raises(ValueError, match="'left hand' is not one of the 34 body parts; nearest: "):
        read_part_name("left hand")


def test_every_vertex_has_one_part_and_every_part_vertices(parts: np.ndarray, body: Body) -> None:
    sizes = np.bincount(parts, minlength=34)
    assert parts.shape == (len(body.template),)
    assert len(sizes) == 34
    assert sizes.min() >= ISLAND


def test_left_mirrors_right(parts: np.ndarray) -> None:
    for name in PART_NAMES:
        if name.startswith("left "):
            left, right = where(parts, name).sum(), where(parts, name.replace("left", "right")).sum()
            assert abs(int(left) - int(right)) <= 0.02 * max(left, right), name


def test_no_small_islands(parts: np.ndarray, body: Body) -> None:
    graph = igl.adjacency_matrix(np.asarray(body.faces, np.int64)).tocoo()
    keep = parts[graph.row] == parts[graph.col]
    graph = scipy.sparse.coo_matrix((np.ones(keep.sum()), (graph.row[keep], graph.col[keep])), graph.shape)
    assert np.bincount(scipy.sparse.csgraph.connected_components(graph)[1]).min() >= ISLAND


def test_parts_lie_where_the_words_say(parts: np.ndarray, body: Body) -> None:
    verts = np.asarray(body.template)
    center = {name: verts[where(parts, name)].mean(0) for name in PART_NAMES}
    assert center["left palm"][0] > 0.6  # the body's left is +x, it faces +z, up is +y
    assert center["right palm"][0] < -0.6
    down = ["head", "neck", "torso", "bottom", "left upper leg", "left knee", "left lower leg", "left foot"]
    heights = [center[name][1] for name in down]
    assert heights == sorted(heights, reverse=True)
    out = ["left shoulder", "left upper arm", "left elbow", "left lower arm", "left palm", "left fingers"]
    reach = [center[name][0] for name in out]
    assert reach == sorted(reach)
    assert center["back"][2] < center["torso"][2]
    assert center["bottom"][2] < center["torso"][2]
    face = [center[name][1] for name in ("left eye", "nose", "mouth", "jaw")]
    assert face == sorted(face, reverse=True)
    assert center["left ear"][0] > center["left eye"][0] > 0
    assert abs(center["left hip"][0]) > 0.1


def test_a_fixed_body_has_no_parts_of_its_own() -> None:
    with pytest.raises(ValueError, match="parts_for_mesh"):
        body_parts(fixed_body(np.zeros((4, 3), np.float32), np.zeros((1, 3), np.int32)))


def test_user_map(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    path.write_text(json.dumps({"mouse": [0, 2], "Left_Foot": [1]}))
    assert [PART_NAMES[k] for k in load_parts(path, 3)] == ["mouth", "left foot", "mouth"]
    for content, message in (
        ({"mouth": [0, 1], "neck": [1, 2]}, "vertex 1 is in 2 parts"),
        ({"mouth": [0, 1]}, "vertex 2 is in 0 parts"),
        ({"mouth": [0, 1, 7]}, r"names vertex 7, expected 0\.\.2"),
        ({"snout": [0, 1, 2]}, "'snout' is not one of the 34"),
        ({"mouth": [0], "mouse": [1, 2]}, "mouth twice"),
        ([1, 2], "expected JSON"),
        ({"mouth": ["x"]}, "expected JSON"),
    ):
        path.write_text(json.dumps(content))
        with pytest.raises(ValueError, match=f"parts.json.*{message}"):
            load_parts(path, 3)


def test_clothes(parts: np.ndarray, body: Body) -> None:
    outfit = Outfit()
    rgb = outfit_rgb(body, parts, outfit)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    for name, garment in (("left foot", "shoes"), ("bottom", "trousers"), ("left hip", "trousers"), ("nose", "skin")):
        assert (rgb[where(parts, name)] == getattr(outfit, garment)).all(), name
    trunk = where(parts, "torso") | where(parts, "back")
    assert not (rgb[trunk] == outfit.skin).all(1).any()
    hair = (rgb == outfit.hair).all(1)
    head = where(parts, "head")
    assert 0.05 < hair[head].mean() < 0.5  # most vertices of the head are in the face
    assert not hair[~head].any()
    assert np.asarray(body.template)[hair, 1].max() == np.asarray(body.template)[:, 1].max()


def test_part_colors_differ() -> None:
    colors = part_colors()
    distance = np.linalg.norm(colors[:, None] - colors, axis=-1) + np.eye(34)
    assert colors.shape == (34, 3)
    assert distance.min() > 0.05


@pytest.mark.slow
def test_parts_of_a_posed_mesh_of_another_topology(parts: np.ndarray, body: Body) -> None:
    """Every third vertex of the posed body, scaled and moved, with other shape: most keep their part."""
    bent = zero_pose()._replace(root=jnp.array([2.9, 0.1, 0.0]), shape=jnp.array([1.0, -1, 0.5, 0, 0, 0, 0, 0, 0, 0]))
    bent = bent._replace(body=bent.body.at[15, 2].set(-1.0).at[3, 0].set(0.8), translation=jnp.array([0.2, 0.4, 9.0]))
    mesh = 1.07 * np.asarray(pose_body(body, bent).verts)[::3]
    found = parts_for_mesh(mesh, body, bent, parts)
    assert (found == parts[::3]).mean() > 0.85
    limbs = np.isin(parts[::3], [PART_NAMES.index(f"left {name}") for name in ("upper leg", "lower arm", "foot")])
    assert (found == parts[::3])[limbs].mean() > 0.95


@pytest.mark.slow
def test_parts_of_the_real_sample(basket: Path, parts: np.ndarray, body: Body) -> None:
    lines = (basket / "h_mesh.obj").read_text().splitlines()
    mesh = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    stored = json.loads((basket / "smplx_parameters.json").read_text())
    rotations = {"root": "root_pose", "body": "body_pose", "left_hand": "lhand_pose", "right_hand": "rhand_pose"}
    pose = zero_pose()
    pose = pose._replace(**{k: jnp.array(stored[v]).reshape(getattr(pose, k).shape) for k, v in rotations.items()})
    found = parts_for_mesh(mesh, body, pose, parts)
    sizes = np.bincount(found, minlength=34)
    assert sizes.min() >= ISLAND
    for name in ("palm", "fingers", "foot", "knee", "eye", "upper arm", "hip", "ear"):
        left, right = (sizes[PART_NAMES.index(f"{side} {name}")] for side in ("left", "right"))
        assert abs(int(left) - int(right)) <= 0.15 * max(left, right), name  # SMPL-X is symmetric, this pose is not
    assert PART_NAMES[found[9120]] == "nose"
    assert 450 < sizes[PART_NAMES.index("left fingers")] < 650

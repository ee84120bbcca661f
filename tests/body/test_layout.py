"""Every published layout of an SMPL-X file gives the same body; a bad file gives one clear error."""

import os
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scipy.sparse

from hoijax.body.smplx import PARENTS, load_body, load_hand_means, with_hand_means, zero_pose

V = 200


@pytest.fixture
def arrays(make_smplx: ModuleType) -> dict[str, np.ndarray]:
    model = make_smplx.synthetic_model(PARENTS, verts=V)
    return {**model, "f": model["f"][:100]}


def save(folder: Path, **arrays: object) -> Path:
    path = folder / "SMPLX_NEUTRAL.npz"
    np.savez(path, **arrays)
    return path


def test_400_columns(arrays: dict, tmp_path: Path) -> None:
    body = load_body(save(tmp_path, **arrays))
    np.testing.assert_array_equal(body.shape_dirs, arrays["shapedirs"][..., :10])
    np.testing.assert_array_equal(body.expression_dirs, arrays["shapedirs"][..., 300:310])
    np.testing.assert_array_equal(body.pose_dirs, np.moveaxis(arrays["posedirs"], -1, 0))
    np.testing.assert_array_equal(body.faces, arrays["f"])


@pytest.mark.parametrize("layout", ["20", "10+10", "100+100"])
def test_fewer_columns(arrays: dict, tmp_path: Path, layout: str) -> None:
    directions = arrays["shapedirs"]
    if layout == "20":
        arrays["shapedirs"] = np.concatenate([directions[..., :10], directions[..., 300:310]], -1)
    else:
        count = int(layout.split("+")[0])
        arrays |= {"shapedirs": directions[..., :count], "expr_dirs": directions[..., 300 : 300 + count]}
    body = load_body(save(tmp_path, **arrays))
    np.testing.assert_array_equal(body.shape_dirs, directions[..., :10])
    np.testing.assert_array_equal(body.expression_dirs, directions[..., 300:310])


@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "coo_matrix", "csc_array"])
def test_sparse_regressor_as_an_object(arrays: dict, tmp_path: Path, kind: str) -> None:
    dense = arrays["J_regressor"]
    sparse = np.empty((), object)
    sparse[()] = getattr(scipy.sparse, kind)(dense)
    body = load_body(save(tmp_path, **{**arrays, "J_regressor": sparse}))
    np.testing.assert_array_equal(body.regressor, dense)


@pytest.mark.parametrize("mark", "_./")
def test_sparse_regressor_as_its_arrays(arrays: dict, tmp_path: Path, mark: str) -> None:
    dense = arrays.pop("J_regressor")
    sparse = scipy.sparse.csc_matrix(dense)
    parts = {f"J_regressor{mark}{key}": getattr(sparse, key) for key in ("data", "indices", "indptr", "shape")}
    np.testing.assert_array_equal(load_body(save(tmp_path, **arrays, **parts)).regressor, dense)


def test_root_as_minus_one_float64_and_objects_that_are_not_needed(arrays: dict, tmp_path: Path) -> None:
    arrays["kintree_table"] = np.stack([PARENTS, np.arange(55)])
    arrays["v_template"] = arrays["v_template"].astype(np.float64)
    arrays["part2num"] = np.array({"Head": 15}, object)
    body = load_body(save(tmp_path, **arrays))
    assert body.template.dtype == np.float32


def test_pose_blend_shapes_of_zero_are_left_out(arrays: dict, tmp_path: Path) -> None:
    arrays["posedirs"] = np.zeros_like(arrays["posedirs"])
    assert load_body(save(tmp_path, **arrays)).pose_dirs.shape == (0, V, 3)


class Harmful:
    """What a hostile file would hold: unpickling it runs a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.system, (f"touch '{self.mark}'",)


def test_a_hostile_object_is_refused_unrun(arrays: dict, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    hostile = np.array(Harmful(mark), object)
    with pytest.raises(ValueError, match=r"SMPLX_NEUTRAL.npz: .*(posix|nt)\.system"):
        load_body(save(tmp_path, **{**arrays, "J_regressor": hostile}))
    assert not mark.exists()


def test_a_pickle_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "SMPLX_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps({}))
    with pytest.raises(ValueError, match=r"SMPLX_NEUTRAL.pkl.*runs whatever code.*\.npz"):
        load_body(path)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.npz"):
        load_body(tmp_path / "absent.npz")
    path = tmp_path / "broken.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match=r"broken.npz: not a readable .npz"):
        load_body(path)


def test_a_truncated_file(arrays: dict, tmp_path: Path) -> None:
    path = save(tmp_path, **arrays)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"not a readable \.npz"):
        load_body(path)


BAD = {
    "no array 'weights'": lambda a: a.pop("weights"),
    r"v_template has shape \(200, 2\), expected \(200, 3\)": lambda a: a.update(v_template=a["v_template"][:, :2]),
    "v_template is of type .* not finite": lambda a: a.update(v_template=a["v_template"] * np.nan),
    "shapedirs has 30 columns; expected 400": lambda a: a.update(shapedirs=a["shapedirs"][..., :30]),
    "shapedirs has 10 columns; expected 400": lambda a: a.update(shapedirs=a["shapedirs"][..., :10]),
    r"posedirs has shape \(200, 3, 207\), expected \(200, 3, 486\)": lambda a: a.update(
        posedirs=a["posedirs"][..., :207]
    ),
    "f names vertices .* expected 0..199": lambda a: a.update(f=a["f"] + 150),
    "kintree_table: joint 22 has parent 3, expected 15": lambda a: a["kintree_table"].__setitem__((0, 22), 3),
    r"weights of a vertex sum to 2..2, expected 1": lambda a: a.update(weights=2 * a["weights"]),
}


@pytest.mark.parametrize("message", BAD)
def test_a_bad_array_is_named(arrays: dict, tmp_path: Path, message: str) -> None:
    BAD[message](arrays)
    with pytest.raises(ValueError, match=r"SMPLX_NEUTRAL.npz: .*" + message):
        load_body(save(tmp_path, **arrays))


def test_hand_means(arrays: dict, tmp_path: Path) -> None:
    means = np.random.default_rng(0).random((2, 45)).astype(np.float32)
    path = save(tmp_path, **arrays, hands_meanl=means[0], hands_meanr=means[1])
    found = load_hand_means(path)
    np.testing.assert_array_equal(found, means.reshape(2, 15, 3))
    pose = with_hand_means(zero_pose(), found)
    np.testing.assert_array_equal(pose.left_hand, means[0].reshape(15, 3))
    np.testing.assert_array_equal(pose.right_hand, means[1].reshape(15, 3))
    with pytest.raises(ValueError, match=r"SMPLX_NEUTRAL\.npz: no array 'hands_meanl'"):
        load_hand_means(save(tmp_path, **arrays))

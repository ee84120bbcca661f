"""Arrays of an SMPL-X `.npz` file in any published layout, brought to the one that `hoijax.types.Body` has."""

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from hoijax.body.array_pickle import unpickled

Members = dict[str, tuple[zipfile.ZipFile, str]]  # array name -> where it is stored

COLUMNS = 10  # shape and expression directions that are kept
SPARSE_KEYS = ("data", "indices", "indptr", "shape")


def read_smplx(path: Path, parents: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays of a `Body`, in its order, from an SMPL-X `.npz`; float32, faces int32.

    Shape directions: 400 columns hold 300 of shape then 100 of expression, 20 hold 10 + 10, 10 go with a separate
    `expr_dirs`; the first 10 of each are kept. The regressor is an array, a pickled sparse matrix, or a CSC matrix
    stored as `J_regressor_data`, `_indices`, `_indptr`, `_shape` (also with a dot or slash).

    Raises: FileNotFoundError; ValueError naming the file, what was found and what was expected.
    """
    return _read(path, lambda members: _body_arrays(members, parents))


def read_hand_means(path: Path) -> np.ndarray:
    """The mean poses (2, 15, 3) of the left and right hand in an SMPL-X `.npz`, axis-angle. Raises: as `read_smplx`."""
    return _read(path, _hand_means)


def _read(path: Path, extract: Callable[[Members], Any]) -> Any:
    """What `extract` makes of the members of an archive; its errors are given the file's name."""
    _check_path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return extract({name.removesuffix(".npy"): (archive, name) for name in archive.namelist()})
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path}: not a readable .npz archive ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _hand_means(members: Members) -> np.ndarray:
    means = [_array(members, key) for key in ("hands_meanl", "hands_meanr")]
    for mean in means:
        _expect("hands_mean", mean.reshape(-1), (45,))
    return np.stack(means).reshape(2, 15, 3).astype(np.float32)


def _check_path(path: Path) -> None:
    if path.suffix.lower() in (".pkl", ".pickle"):
        raise ValueError(
            f"{path}: a .pkl body is not read, because loading a pickle runs whatever code it contains. "
            "https://smpl-x.is.tue.mpg.de offers the same model as .npz: take that, or convert a file that you trust "
            "with numpy.savez('SMPLX_NEUTRAL.npz', **pickle.load(open(..., 'rb'), encoding='latin1'))"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected an SMPL-X .npz")


def _body_arrays(members: Members, parents: np.ndarray) -> tuple[np.ndarray, ...]:
    """Reads, checks and orders the arrays of one archive."""
    j = len(parents)
    template = _array(members, "v_template")
    v = len(template)
    _expect("v_template", template, (v, 3))
    shape_dirs, expression_dirs = _directions(members, v)
    pose_dirs = _array(members, "posedirs")
    _expect("posedirs", pose_dirs, (v, 3, 9 * (j - 1)))
    pose_dirs = np.moveaxis(pose_dirs, -1, 0) if pose_dirs.any() else np.zeros((0, v, 3))
    regressor = _regressor(members)
    _expect("J_regressor", regressor, (j, v))
    weights = _array(members, "weights")
    _expect("weights", weights, (v, j))
    if np.abs(weights.sum(1) - 1).max() > 1e-3:
        raise ValueError(
            f"weights of a vertex sum to {weights.sum(1).min():.4g}..{weights.sum(1).max():.4g}, expected 1"
        )
    faces = _array(members, "f")
    _expect("f", faces, (len(faces), 3))
    if faces.min() < 0 or faces.max() >= v:
        raise ValueError(f"f names vertices {faces.min()}..{faces.max()}, expected 0..{v - 1}")
    _check_tree(_array(members, "kintree_table"), parents)
    floats = (template, shape_dirs, expression_dirs, pose_dirs, regressor, weights)
    return *(np.ascontiguousarray(array, np.float32) for array in floats), faces.astype(np.int32)


def _directions(members: Members, v: int) -> tuple[np.ndarray, np.ndarray]:
    """The first shape and expression directions of each layout."""
    directions = _array(members, "shapedirs")
    columns = directions.shape[-1] if directions.ndim == 3 else 0
    _expect("shapedirs", directions, (v, 3, columns))
    if columns >= 400:
        return directions[..., :COLUMNS], directions[..., 300 : 300 + COLUMNS]
    if columns == 2 * COLUMNS:
        return directions[..., :COLUMNS], directions[..., COLUMNS:]
    if "expr_dirs" in members and columns >= COLUMNS:
        expression = _array(members, "expr_dirs")
        if expression.ndim == 3 and expression.shape[-1] >= COLUMNS:
            _expect("expr_dirs", expression, (v, 3, expression.shape[-1]))
            return directions[..., :COLUMNS], expression[..., :COLUMNS]
    raise ValueError(
        f"shapedirs has {columns} columns; expected 400 (300 shape + 100 expression), 20 (10 + 10), "
        "or 10 and an array expr_dirs (v, 3, 10)"
    )


def _regressor(members: Members) -> np.ndarray:
    """The joint regressor, dense, from whichever way it was stored."""
    for mark in "_./":
        keys = [f"J_regressor{mark}{key}" for key in SPARSE_KEYS]
        if all(key in members for key in keys):
            data, indices, indptr, shape = (_array(members, key) for key in keys)
            return scipy.sparse.csc_matrix((data, indices, indptr), tuple(shape)).toarray()
    return _array(members, "J_regressor")


def _array(members: Members, key: str) -> np.ndarray:
    """One array of the archive, dense and finite; an object array may hold a sparse matrix and nothing else."""
    if key not in members:
        raise ValueError(f"no array {key!r}; it holds {sorted(members)}")
    archive, name = members[key]
    array = _read_npy(io.BytesIO(archive.read(name)), key)
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"{key} is of type {array.dtype} or has values that are not finite, expected finite numbers")
    return array


def _read_npy(file: io.BytesIO, key: str) -> np.ndarray:
    """`numpy.load` of one member, with `unpickled` where the array is of Python objects."""
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise ValueError(f"{key}: {error}") from error
    content: Any = unpickled(file)  # read_array has left the file after the header
    if isinstance(content, np.ndarray) and content.dtype == object and content.size == 1:
        content = content.item()
    return content.toarray() if scipy.sparse.issparse(content) else np.asarray(content)


def _check_tree(table: np.ndarray, parents: np.ndarray) -> None:
    """The parents are SMPL-X's; the root's is stored as -1 or 2^32 - 1."""
    _expect("kintree_table", table, (2, len(parents)))
    found = table[0].astype(np.int64).astype(np.int32)
    different = np.flatnonzero((found != parents)[1:]) + 1
    if len(different):
        k = different[0]
        raise ValueError(f"kintree_table: joint {k} has parent {found[k]}, expected {parents[k]} (the SMPL-X tree)")


def _expect(key: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{key} has shape {array.shape}, expected {shape}")

"""Gaussians as a PLY file in the layout of 3D Gaussian splatting (Kerbl et al. 2023), which splat viewers open."""

import os
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from scipy.spatial.transform import Rotation

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError
from hoijax.types import Gaussians

SH_C0 = 0.5 / np.sqrt(np.pi)  # the constant spherical harmonic: rgb = 1/2 + SH_C0 f_dc
LOGIT_MARGIN = 1e-7  # opacities this near 0 and 1 are stored as if at this distance
MIN_VARIANCE = 1e-14  # square metres: Gaussians flatter than 1e-7 m are stored as that thick
COLUMNS = (
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
)
ROW = np.dtype([(name, "<f4") for name in COLUMNS])


def save_gaussians(path: str | os.PathLike[str], gaussians: Gaussians) -> None:
    """Writes means (metres), colour as f_dc, logit opacity, and from cov = R diag(e^2s) R^T: s, and R as wxyz.

    Normals are zero: the layout has them, nobody uses them. Raises ValueError for numbers that are not finite.
    """
    means, covs, opacity, rgb = (np.asarray(field, np.float64) for field in gaussians)
    for name, field in zip(Gaussians._fields, (means, covs, opacity, rgb), strict=True):
        if not np.isfinite(field).all():
            raise ValueError(f"{path}: {name} of the Gaussians holds numbers that are not finite")
    variances, axes = np.linalg.eigh(covs)
    axes = axes * np.where(np.linalg.det(axes) < 0, -1, 1)[:, None, None]
    alpha = np.clip(opacity, LOGIT_MARGIN, 1 - LOGIT_MARGIN)
    columns = [
        means,
        np.zeros_like(means),
        (rgb - 0.5) / SH_C0,
        np.log(alpha / (1 - alpha))[:, None],
        np.log(np.maximum(variances, MIN_VARIANCE)) / 2,
        Rotation.from_matrix(axes).as_quat(scalar_first=True),
    ]
    rows = np.concatenate(columns, 1).astype("<f4")
    properties = "".join(f"property float {name}\n" for name in COLUMNS)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(rows)}\n{properties}end_header\n"
    Path(path).write_bytes(header.encode("ascii") + rows.tobytes())


def load_gaussians(path: str | os.PathLike[str]) -> Gaussians:
    """The Gaussians of a file that `save_gaussians` wrote: float32. Raises SampleError for any other layout."""
    head, mark, body = load_bytes(Path(path)).partition(b"end_header\n")
    lines = head.decode("ascii", "replace").splitlines()
    counts = [line.split()[2] for line in lines if line.startswith("element vertex ")]
    names = tuple(line.split()[-1] for line in lines if line.startswith("property "))
    if not mark or lines[:2] != ["ply", "format binary_little_endian 1.0"] or len(counts) != 1:
        raise SampleError(path, "is no binary little-endian PLY file of vertices")
    if names != COLUMNS:
        raise SampleError(path, f"has the properties {', '.join(names)}, expected {', '.join(COLUMNS)}")
    if not counts[0].isdigit() or len(body) != int(counts[0]) * ROW.itemsize:
        raise SampleError(path, f"holds {len(body)} bytes of data, its header says {counts[0]} Gaussians: cut off?")
    rows = np.frombuffer(body, "<f4").reshape(-1, len(COLUMNS)).astype(np.float64)
    axes = Rotation.from_quat(rows[:, 13:17], scalar_first=True).as_matrix() if len(rows) else np.zeros((0, 3, 3))
    covs = np.einsum("nij,nj,nkj->nik", axes, np.exp(2 * rows[:, 10:13]), axes)
    opacity = 1 / (1 + np.exp(-rows[:, 9]))
    fields = (rows[:, 0:3], covs, opacity, 0.5 + SH_C0 * rows[:, 6:9])
    return Gaussians(*(jnp.asarray(field, jnp.float32) for field in fields))

"""Writes smplx.npz: what the PyTorch package `smplx` computes for a made-up model in the true SMPL-X file layout.

Run once, in an environment that has torch and smplx (which hoijax never imports): python tests/golden/make_smplx.py
The test rebuilds the same model from the same seed by `synthetic_model`, which needs numpy alone.
"""

import tempfile
from pathlib import Path

import numpy as np

VERTS, FACES, JOINTS = 10475, 20908, 55
KEPT = np.arange(0, VERTS, 52)  # the vertices whose positions are stored
POSES = 4
PARTS = {"root": 1, "body": 21, "jaw": 1, "eyes": 2, "left_hand": 15, "right_hand": 15}


def synthetic_model(
    parents: np.ndarray, verts: int = VERTS, columns: int = 400, seed: int = 7
) -> dict[str, np.ndarray]:
    """A model of smooth random blend shapes with every array of an SMPL-X .npz; its geometry is that of no person."""
    rng = np.random.default_rng(seed)
    joints = np.zeros((JOINTS, 3))
    for joint in range(1, JOINTS):
        joints[joint] = joints[parents[joint]] + 0.3 * (rng.random(3) - 0.5)
    template = joints[rng.integers(0, JOINTS, verts)] + 0.1 * (rng.random((verts, 3)) - 0.5)
    distance = np.linalg.norm(template[:, None] - joints, axis=-1)
    weights = np.exp(-distance / 0.05)
    regressor = np.exp(-((distance.T / 0.08) ** 2)) * (rng.random((JOINTS, verts)) < 0.02)
    regressor[np.arange(JOINTS), distance.argmin(0)] += 1e-3
    table = np.stack([parents.astype(np.uint32), np.arange(JOINTS, dtype=np.uint32)])
    return {
        "v_template": template.astype(np.float32),
        "shapedirs": _smooth(rng, template, columns, 0.02).reshape(verts, 3, columns),
        "posedirs": _smooth(rng, template, 9 * (JOINTS - 1), 0.003).reshape(verts, 3, -1),
        "J_regressor": (regressor / regressor.sum(1, keepdims=True)).astype(np.float32),
        "weights": (weights / weights.sum(1, keepdims=True)).astype(np.float32),
        "kintree_table": table,
        "f": rng.integers(0, verts, (FACES, 3)).astype(np.uint32),
    }


def _smooth(rng: np.random.Generator, points: np.ndarray, columns: int, size: float) -> np.ndarray:
    """Displacement fields that vary smoothly over space, one for each column, of about `size` metres."""
    waves = np.sin(points @ (20 * rng.random((3, 24)) - 10) + 6.3 * rng.random(24))
    mix = size * (rng.random((24, 3 * columns)) - 0.5)
    return (waves @ mix).astype(np.float32)


def random_poses(seed: int = 11) -> list[dict[str, np.ndarray]]:
    """Poses with every joint, coefficient and the translation away from zero, as keyword arrays of a HumanPose."""
    rng = np.random.default_rng(seed)
    poses = []
    for _ in range(POSES):
        pose = {name: 1.2 * (rng.random((count, 3)) - 0.5) for name, count in PARTS.items()}
        pose["root"], pose["jaw"] = 5 * pose["root"][0], pose["jaw"][0]
        coefficients = {name: 4 * (rng.random(10) - 0.5) for name in ("shape", "expression")}
        poses.append({**pose, **coefficients, "translation": rng.random(3) * [1, 1, 20]})
    return [{name: value.astype(np.float32) for name, value in pose.items()} for pose in poses]


def main() -> None:
    """Runs smplx on the model and stores its vertices and joints, in metres."""
    import smplx
    import torch

    parents = np.array(
        [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15]
        + [20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38]
        + [21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53]
    )
    unused = {
        **{f"hands_components{side}": np.eye(45) for side in "lr"},
        **{f"hands_mean{side}": np.zeros(45) for side in "lr"},
        "lmk_faces_idx": np.zeros(51, np.int64),
        "lmk_bary_coords": np.full((51, 3), 1 / 3),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SMPLX_NEUTRAL.npz"
        np.savez(path, **synthetic_model(parents), **unused)
        model = smplx.SMPLX(str(path), use_pca=False, flat_hand_mean=True, num_betas=10, num_expression_coeffs=10)
    verts, joints = [], []
    for pose in random_poses():
        tensors = {name: torch.tensor(value).reshape(1, -1) for name, value in pose.items()}
        output = model(
            betas=tensors["shape"],
            expression=tensors["expression"],
            global_orient=tensors["root"],
            body_pose=tensors["body"],
            jaw_pose=tensors["jaw"],
            leye_pose=tensors["eyes"][:, :3],
            reye_pose=tensors["eyes"][:, 3:],
            left_hand_pose=tensors["left_hand"],
            right_hand_pose=tensors["right_hand"],
            transl=tensors["translation"],
        )
        verts.append(output.vertices[0].detach().numpy()[KEPT])
        joints.append(output.joints[0].detach().numpy()[:JOINTS])
    np.savez_compressed(Path(__file__).parent / "smplx.npz", verts=np.array(verts), joints=np.array(joints))


if __name__ == "__main__":
    main()

"""The body that needs no licence: MakeHuman's, baked into the SMPL-X conventions (see NOTICE.md)."""

from functools import cache
from importlib.resources import as_file, files

import jax.numpy as jnp
import numpy as np

from hoijax.types import Body


@cache
def builtin_body() -> Body:
    """The body that ships with the package: 13,718 vertices, the 55 SMPL-X joints, no pose blend shapes."""
    with as_file(files("hoijax.body") / "builtin_body.npz") as path, np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    template = arrays["v_template"]
    v, j = len(template), len(arrays["Jr"])
    weights = np.zeros((v, j), np.float32)
    np.add.at(weights, (np.arange(v)[:, None], arrays["w_idx"]), arrays["w"])
    weights /= weights.sum(1, keepdims=True)
    regressor = arrays["Jr"].astype(np.float32)
    regressor /= regressor.sum(1, keepdims=True)
    directions = arrays["shapedirs"].astype(np.float32)
    return Body(
        template=jnp.asarray(template),
        shape_dirs=jnp.asarray(directions[..., :10]),
        expression_dirs=jnp.asarray(directions[..., 10:]),
        pose_dirs=jnp.zeros((0, v, 3)),
        regressor=jnp.asarray(regressor),
        weights=jnp.asarray(weights),
        faces=jnp.asarray(arrays["f"].astype(np.int32)),
    )

"""Times of the loss terms, value and gradient, for the sizes of one fit: python benchmarks/losses.py [--write]

Prints the median of each beside its baseline in baselines/losses.json, in milliseconds; --write stores a new baseline.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from hoijax.losses.collision import collision
from hoijax.losses.contact import contact, contact_set
from hoijax.losses.image import l1, ssim_reference, ssim_to
from hoijax.losses.lpips import load_lpips, lpips_features, lpips_to
from hoijax.losses.ordinal import ordinal_depth
from hoijax.types import ObjectPose, SdfGrid

BASELINE = Path(__file__).parent / "baselines" / "losses.json"
SIZE, HUMAN, OBJECT, CONTACTS = 256, 10475, 4608, 1024


def cases() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Name -> a function to differentiate in its first argument, and its arguments."""
    rng = np.random.default_rng(0)

    def random(*shape: int) -> jax.Array:
        return jnp.asarray(rng.random(shape), jnp.float32)

    renders, images, weight = random(3, SIZE, SIZE, 3), random(3, SIZE, SIZE, 3), jnp.ones((SIZE, SIZE))
    found = {
        "l1, 3 renders": (lambda a, b: jax.vmap(l1, (0, 0, None))(a, b, weight).sum(), (renders, images)),
        "ssim, 3 renders": (
            lambda a, reference: jax.vmap(ssim_to, (0, 0, None))(a, reference, weight).sum(),
            (renders, jax.jit(jax.vmap(ssim_reference))(images)),
        ),
        "ordinal": (
            lambda d, other, masks: ordinal_depth(d, d > 0.2, other, other > 0.2, *masks),
            (random(SIZE, SIZE), random(SIZE, SIZE), random(2, SIZE, SIZE)),
        ),
    }
    for net in ("alex", "vgg"):
        weights = load_lpips(net)
        features = jax.jit(lpips_features)(weights, images)
        found[f"lpips {net}, 3 renders"] = (lambda a, w, f: lpips_to(w, a, f).sum(), (renders, weights, features))
    points, others = random(HUMAN, 3), random(OBJECT, 3)
    regions = random(HUMAN) < 0.1, random(OBJECT) < 0.2
    found["contact, whole sets"] = (lambda h, o, r: contact(h, r[0], o, r[1]), (points, others, regions))

    def packed_contact(h: jax.Array, o: jax.Array, r: Any, scores: Any) -> jax.Array:
        a, b = (contact_set(region, score, CONTACTS) for region, score in zip(r, scores))
        return contact(h[a.index], a.valid, o[b.index], b.valid)

    found[f"contact, sets of {CONTACTS}"] = (packed_contact, (points, others, regions, (random(HUMAN), random(OBJECT))))
    grid = SdfGrid(random(64, 64, 64) - 0.5, jnp.zeros(3), jnp.asarray(1 / 63, jnp.float32))
    pose = ObjectPose(0.1 * random(3), 0.1 * random(3), jnp.zeros(()))
    found["collision"] = (
        lambda h, o, grid, pose: collision(h, o, jnp.ones(OBJECT, bool), grid, grid, pose, jnp.full(3, 0.5)),
        (points, others, grid, pose),
    )
    return found


def median_ms(function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float = 3.0) -> float:
    """Median over as many calls as fit into some seconds (five at least), compilation apart."""
    compiled = jax.jit(jax.value_and_grad(function))
    jax.block_until_ready(compiled(*arguments))
    times: list[float] = []
    while sum(times) < seconds or len(times) < 5:
        start = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="store the medians as the new baseline")
    write = parser.parse_args().write
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    measured = {}
    for name, (function, arguments) in cases().items():
        measured[name] = round(median_ms(function, arguments), 2)
        print(f"{name:24} {measured[name]:9.2f} ms   baseline {baseline.get(name, float('nan')):9.2f} ms", flush=True)
    if write:
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()

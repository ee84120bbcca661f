"""Times of the contact network on random points: python benchmarks/contact_model.py [--write]

Sampling and grouping of 32 examples, a step of 8 examples with groups found beforehand and with the network finding them
itself, and an epoch of 128 examples, each the median of three beside its baseline in baselines/contact_model.json. The
first line holds the compilation of all.
"""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from timed import report

from hoijax.tasks.contact.data import Examples, augmented, subset, with_groups
from hoijax.tasks.contact.net import ContactInput, ContactNetConfig, groups_of, init_state, train_step
from hoijax.tasks.contact.training import TrainOptions, one_of
from hoijax.tasks.training import LoopOptions, one_epoch

COUNT, POINTS = 128, 512


def random_examples() -> Examples:
    """Two spheres of points, pictures of noise."""
    rng = np.random.default_rng(0)
    clouds = rng.normal(size=(2, COUNT, POINTS, 3))
    human, thing = (0.5 * clouds / np.linalg.norm(clouds, axis=-1, keepdims=True)).astype(np.float32)
    image = rng.random((COUNT, 64, 64, 5)).astype(np.float32)
    labels, gaps = rng.random((COUNT, 34)) < 0.2, rng.normal(size=(COUNT, 34))
    return Examples(tuple(map(str, range(COUNT))), ContactInput(human, thing, image), labels, gaps)


def cases() -> Mapping[str, Callable[[], Any]]:
    """Name -> what is timed."""
    examples, options = random_examples(), TrainOptions()
    config = ContactNetConfig()
    known = with_groups(examples, config)
    state = init_state(config, one_of(known), options.rate, jax.random.key(0))
    step = train_step(config, options.rate)
    few = subset(examples, range(32)).given
    find = jax.jit(jax.vmap(lambda one: groups_of(config, one)))

    def stepped(some: Examples) -> Callable[[], Any]:
        batch = subset(some, range(options.batch))
        return lambda: jax.block_until_ready(step(state, batch.given, jnp.asarray(batch.labels, jnp.float32)))

    def learn(state: Any, chosen: np.ndarray, rng: np.random.Generator) -> Any:
        part = augmented(subset(known, chosen), rng)
        return step(state, part.given, jnp.asarray(part.labels, jnp.float32))

    return {
        "sampling and grouping, 32": lambda: jax.block_until_ready(find(few)),
        "step of 8, groups known": stepped(known),
        "step of 8, groups unknown": stepped(examples),
        "epoch of 128": lambda: one_epoch(state, learn, COUNT, LoopOptions(batch=options.batch), 0),
    }


if __name__ == "__main__":
    report(cases, __doc__, "contact_model")

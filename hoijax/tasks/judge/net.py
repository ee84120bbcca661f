"""The judge network: from what an annotator sees to two logits, human good and object good.

Written for one example; `vmap` over a batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from hoijax.tasks.encoders import CloudEncoder, ImageEncoder, Level
from hoijax.tasks.judge.data import WHO, JudgeInput

INPUTS = ("picture", "points", "scalars")


@dataclass(frozen=True)
class JudgeNetConfig:
    """Sizes of the network. `inputs`: which of `INPUTS` it sees."""

    inputs: tuple[str, ...] = INPUTS
    levels: tuple[Level, ...] = (Level(64, 0.2, 12, (32, 64)), Level(16, 0.6, 12, (64, 128)))
    cloud_widths: tuple[int, ...] = (128,)
    image_widths: tuple[int, ...] = (16, 32, 64, 128)
    scalar_widths: tuple[int, ...] = (64,)
    head: tuple[int, ...] = (128, 64)
    dropout: float = 0.2


class JudgeNet(nn.Module):
    """Logits of human and object; the scalars come centred and scaled."""

    config: JudgeNetConfig

    @nn.compact
    def __call__(self, given: JudgeInput, train: bool = False) -> Float[Array, "2"]:
        """With `train`, dropout needs the random stream "dropout"."""
        config, found = self.config, []
        if "picture" in config.inputs:
            found.append(ImageEncoder(config.image_widths)(jnp.asarray(given.picture)))
        if "points" in config.inputs:
            for cloud in (given.human, given.object):
                found.append(CloudEncoder(config.levels, config.cloud_widths)(jnp.asarray(cloud)))
        if "scalars" in config.inputs:
            x = jnp.asarray(given.scalars)
            for width in config.scalar_widths:
                x = nn.relu(nn.Dense(width)(x))
            found.append(x)
        x = jnp.concatenate(found)
        for width in config.head:
            x = nn.relu(nn.LayerNorm()(nn.Dense(width)(x)))
            x = nn.Dropout(config.dropout, deterministic=not train)(x)
        return nn.Dense(len(WHO))(x)


class JudgeState(NamedTuple):
    """Variables of the network, Adam's moments, the random key of what comes, and the mean and spread of the scalars it
    learned from, which are not trained."""

    params: Any
    moments: Any
    key: PRNGKeyArray
    center: Float[Array, " k"]
    spread: Float[Array, " k"]


def init_state(config: JudgeNetConfig, given: JudgeInput, rate: float, key: PRNGKeyArray) -> JudgeState:
    """The start of a training on the examples `given` (with a leading axis): their scalars set center and spread."""
    start, key = jax.random.split(key)
    first = JudgeInput(*(field[0] for field in given))
    params = jax.jit(JudgeNet(config).init)(start, first)
    values = np.asarray(given.scalars, np.float64)
    center, spread = (jnp.asarray(x, jnp.float32) for x in (values.mean(0), values.std(0) + 1e-3))
    return JudgeState(params, optimizer(rate).init(params), key, center, spread)


def optimizer(rate: float) -> optax.GradientTransformation:
    """AdamW with clipped gradients."""
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=1e-2))


def logits(config: JudgeNetConfig, state: JudgeState, given: JudgeInput) -> Float[Array, "b 2"]:
    """Of a batch: every field of `given` has a leading axis."""
    return jax.vmap(lambda one: jnp.asarray(JudgeNet(config).apply(state.params, one)))(scaled(state, given))


def scaled(state: JudgeState, given: JudgeInput) -> JudgeInput:
    """The same with scalars about 0, mostly within 1 and at most 5."""
    values = (jnp.asarray(given.scalars) - state.center) / state.spread
    return given._replace(scalars=jnp.clip(values, -5, 5))


def known_loss(found: Float[Array, "b 2"], labels: Float[Array, "b 2"]) -> Float[Array, ""]:
    """Mean binary cross-entropy over the labels that are not NaN; 0 where none is."""
    known = jnp.isfinite(labels)
    each = optax.sigmoid_binary_cross_entropy(found, jnp.where(known, labels, 0))
    return jnp.where(known, each, 0).sum() / jnp.maximum(known.sum(), 1)


def train_step(config: JudgeNetConfig, rate: float) -> Callable[..., tuple[JudgeState, Float[Array, ""]]]:
    """A compiled step: (state, batch, labels (b, 2) with NaN where unknown) -> (state, loss)."""

    def loss(params: Any, given: JudgeInput, labels: Float[Array, "b 2"], key: PRNGKeyArray) -> Float[Array, ""]:
        def one(example: JudgeInput, key: PRNGKeyArray) -> Float[Array, "2"]:
            return jnp.asarray(JudgeNet(config).apply(params, example, True, rngs={"dropout": key}))

        return known_loss(jax.vmap(one)(given, jax.random.split(key, len(labels))), labels)

    @jax.jit
    def step(state: JudgeState, given: JudgeInput, labels: Float[Array, "b 2"]) -> tuple[JudgeState, Float[Array, ""]]:
        key, dropout = jax.random.split(state.key)
        value, gradient = jax.value_and_grad(loss)(state.params, scaled(state, given), labels, dropout)
        updates, moments = optimizer(rate).update(gradient, state.moments, state.params)
        return state._replace(params=optax.apply_updates(state.params, updates), moments=moments, key=key), value

    return step

"""Which of the 34 body parts touch the object, told by a network (Open3DHOI, appendix C.1): image and two point clouds.

An image feature (CLIP ViT-B/32 in the paper) and the PointNet++ features of human and object go through an MLP to a logit
for each part. Written for one example; `vmap` over a batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from hoijax.body.parts import PART_NAMES
from hoijax.tasks.encoders import CloudEncoder, ImageEncoder, Level, cloud_groups
from hoijax.tasks.points import Grouping, nearest


@dataclass(frozen=True)
class ContactNetConfig:
    """Sizes of the network. `inputs`: "image" (2D only), "points" (3D only), or "both".

    `feature`: length of a given image feature; 0: a small convolutional network makes one of the picture.
    `offsets`: each point also tells where the nearest point of the other cloud is (not in the paper, whose clouds meet
    only after their encoders).
    """

    inputs: str = "both"
    feature: int = 0
    offsets: bool = False
    levels: tuple[Level, ...] = (Level(64, 0.2, 16, (32, 32, 64)), Level(16, 0.5, 16, (64, 128)))
    cloud_widths: tuple[int, ...] = (128, 256)
    image_widths: tuple[int, ...] = (16, 32, 64, 128)
    image_feature: int = 128
    head: tuple[int, ...] = (256, 128)
    dropout: float = 0.3


class Found(NamedTuple):
    """What the network finds in one cloud before it learns anything: its groups, level by level, and with `offsets` the
    index of the other cloud's point nearest to each of its own."""

    groups: tuple[Grouping, ...]
    nearest: Int[Array | np.ndarray, "*b n"] | None


class ContactInput(NamedTuple):
    """One example. Points in metres about the human's middle, camera axes; `image`: a feature, or a picture in [0, 1] with
    the masks of human and object as its fourth and fifth channels. `found`: of human and object, where it is known."""

    human: Float[Array | np.ndarray, "*b n 3"]
    object: Float[Array | np.ndarray, "*b m 3"]
    image: Float[Array | np.ndarray, "*d"]
    found: tuple[Found, Found] | None = None


def found_in(config: ContactNetConfig, given: ContactInput) -> tuple[Found, Found]:
    """What the network would find itself at every step, for one example."""
    human, thing = jnp.asarray(given.human), jnp.asarray(given.object)
    return tuple(  # type: ignore[return-value]
        Found(cloud_groups(cloud, config.levels), nearest(cloud, other) if config.offsets else None)
        for cloud, other in ((human, thing), (thing, human))
    )


class ContactNet(nn.Module):
    """Logits of contact, one for each of `PART_NAMES`."""

    config: ContactNetConfig

    @nn.compact
    def __call__(self, given: ContactInput, train: bool = False) -> Float[Array, "34"]:
        """With `train`, dropout needs the random stream "dropout"."""
        config, found = self.config, []
        if config.inputs in ("image", "both"):
            image = jnp.asarray(given.image)
            image = image if config.feature else ImageEncoder(config.image_widths)(image)
            found.append(nn.relu(nn.Dense(config.image_feature)(image)))
        if config.inputs in ("points", "both"):
            clouds = jnp.asarray(given.human), jnp.asarray(given.object)
            known = found_in(config, given) if given.found is None else given.found
            for cloud, other, (groups, near) in zip(clouds, clouds[::-1], known):
                features = None if near is None else other[near] - cloud
                found.append(CloudEncoder(config.levels, config.cloud_widths)(cloud, groups, features))
        x = jnp.concatenate(found)
        for width in config.head:
            x = nn.relu(nn.LayerNorm()(nn.Dense(width)(x)))
            x = nn.Dropout(config.dropout, deterministic=not train)(x)
        return nn.Dense(len(PART_NAMES))(x)


class TrainState(NamedTuple):
    """Variables of the network, Adam's moments, steps done, and the random key of what comes."""

    params: Any
    moments: Any
    step: Float[Array, ""]
    key: PRNGKeyArray


def init_state(config: ContactNetConfig, example: ContactInput, rate: float, key: PRNGKeyArray) -> TrainState:
    """The start of a training."""
    start, key = jax.random.split(key)
    params = jax.jit(ContactNet(config).init)(start, example)
    return TrainState(params, optimizer(rate).init(params), jnp.zeros(()), key)


def optimizer(rate: float) -> optax.GradientTransformation:
    """AdamW with clipped gradients."""
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=1e-3))


def logits(config: ContactNetConfig, params: Any, given: ContactInput) -> Float[Array, "b 34"]:
    """Of a batch: every field of `given` has a leading axis."""
    return jax.vmap(lambda one: jnp.asarray(ContactNet(config).apply(params, one)))(given)


def train_step(config: ContactNetConfig, rate: float) -> Callable[..., tuple[TrainState, Float[Array, ""]]]:
    """A compiled step: (state, batch, labels (b, 34)) -> (state, loss). The loss is the mean binary cross-entropy."""

    def loss(params: Any, given: ContactInput, labels: Float[Array, "b 34"], key: PRNGKeyArray) -> Float[Array, ""]:
        def one(example: ContactInput, key: PRNGKeyArray) -> Float[Array, "34"]:
            return jnp.asarray(ContactNet(config).apply(params, example, True, rngs={"dropout": key}))

        found = jax.vmap(one)(given, jax.random.split(key, len(labels)))
        return optax.sigmoid_binary_cross_entropy(found, labels).mean()

    @jax.jit
    def step(
        state: TrainState, given: ContactInput, labels: Float[Array, "b 34"]
    ) -> tuple[TrainState, Float[Array, ""]]:
        key, dropout = jax.random.split(state.key)
        value, gradient = jax.value_and_grad(loss)(state.params, given, labels, dropout)
        updates, moments = optimizer(rate).update(gradient, state.moments, state.params)
        return TrainState(optax.apply_updates(state.params, updates), moments, state.step + 1, key), value

    return step

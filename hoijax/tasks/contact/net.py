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
from jaxtyping import Array, Float, PRNGKeyArray

from hoijax.body.parts import PART_NAMES
from hoijax.tasks.encoders import CloudEncoder, ImageEncoder, Level, SharedMlp, cloud_groups
from hoijax.tasks.points import Grouping


@dataclass(frozen=True)
class ContactNetConfig:
    """Sizes of the network. `inputs`: "image" (2D only), "points" (3D only), "both", or "gaps": both, and how far each
    part is off the object's surface (ours; the paper's networks are the first and the third).

    `feature`: length of a given image feature; 0: a small convolutional network makes one of the picture.
    """

    inputs: str = "both"
    feature: int = 0
    levels: tuple[Level, ...] = (Level(64, 0.2, 8, (32, 64)), Level(16, 0.5, 8, (64, 128)))
    cloud_widths: tuple[int, ...] = (128, 256)
    image_widths: tuple[int, ...] = (16, 32, 64, 128)
    image_feature: int = 128
    head: tuple[int, ...] = (256, 128)
    gap_reaches: tuple[float, ...] = (0.01, 0.03, 0.1)
    gap_widths: tuple[int, ...] = (32, 32)
    dropout: float = 0.3


class ContactInput(NamedTuple):
    """One example. Points in metres about the human's middle, camera axes; `image`: a feature, or a picture in [0, 1] with
    the masks of human and object as its fourth and fifth channels. `groups`: of human and object, where they are known.
    `gaps`: of each of `PART_NAMES` to the object's surface, metres, negative inside, infinite for a part that the mesh has
    not; where the network looks at them."""

    human: Float[Array | np.ndarray, "*b n 3"]
    object: Float[Array | np.ndarray, "*b m 3"]
    image: Float[Array | np.ndarray, "*d"]
    groups: tuple[tuple[Grouping, ...], tuple[Grouping, ...]] | None = None
    gaps: Float[Array | np.ndarray, "*b 34"] | None = None


def groups_of(config: ContactNetConfig, given: ContactInput) -> tuple[tuple[Grouping, ...], tuple[Grouping, ...]]:
    """What the network would sample and group itself at every step, for one example."""
    human, thing = (cloud_groups(jnp.asarray(cloud), config.levels) for cloud in (given.human, given.object))
    return human, thing


class GapHead(nn.Module):
    """What each part's distance to the object adds to its logit: one small network of the distance alone, for all parts.

    A part is seen as exp(-max(gap, 0) / reach) for each of `reaches` (metres). That near parts touch is learned once for
    all, and so holds for parts that seldom did. It is not told of the scene: docs/contact_model.md says why.
    """

    reaches: tuple[float, ...]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, gaps: Float[Array, " p"]) -> Float[Array, " p"]:
        """Logits to add."""
        near = jnp.exp(-jnp.maximum(gaps, 0)[:, None] / jnp.asarray(self.reaches))
        return nn.Dense(1)(SharedMlp(self.widths)(near))[:, 0]


class ContactNet(nn.Module):
    """Logits of contact, one for each of `PART_NAMES`."""

    config: ContactNetConfig

    @nn.compact
    def __call__(self, given: ContactInput, train: bool = False) -> Float[Array, "34"]:
        """With `train`, dropout needs the random stream "dropout"."""
        config, found = self.config, []
        if config.inputs != "points":
            image = jnp.asarray(given.image)
            image = image if config.feature else ImageEncoder(config.image_widths)(image)
            found.append(nn.relu(nn.Dense(config.image_feature)(image)))
        if config.inputs != "image":
            known = groups_of(config, given) if given.groups is None else given.groups
            for cloud, groups in zip((given.human, given.object), known):
                found.append(CloudEncoder(config.levels, config.cloud_widths)(jnp.asarray(cloud), groups))
        x = jnp.concatenate(found)
        for width in config.head:
            x = nn.relu(nn.LayerNorm()(nn.Dense(width)(x)))
            x = nn.Dropout(config.dropout, deterministic=not train)(x)
        told = nn.Dense(len(PART_NAMES))(x)
        if config.inputs != "gaps":
            return told
        if given.gaps is None:
            raise ValueError("a network that looks at gaps was given an example without")
        return told + GapHead(config.gap_reaches, config.gap_widths)(jnp.asarray(given.gaps))


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

"""The only place where loss terms are gathered: names, and for each name one unweighted scalar.

A term reads a `View` and returns a scalar; its weight lives in the Stage. To add one, write its function here (or in a
file of its own beside this one) and enter it in `SINGLE_TERMS`, or in `RENDER_TERMS` if it exists for each of the renders.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from hoijax.config import Config, nearest_name
from hoijax.geometry import inverse_similarity, project
from hoijax.losses import image as image_losses
from hoijax.losses.collision import collision
from hoijax.losses.contact import contact, contact_region, contact_score, contact_set
from hoijax.losses.interaction import interaction, object_size, part_interaction, scale_prior
from hoijax.losses.lpips import lpips_features, lpips_to
from hoijax.losses.ordinal import ordinal_depth
from hoijax.losses.silhouette import crop_silhouette
from hoijax.mesh.sdf import signed_distance
from hoijax.mesh.silhouette import soft_silhouette
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.types import Assets, Frame, ObjectPose, Posed, Renders, Scene

RENDERS = ("joint", "human", "object")


class Reference(NamedTuple):
    """What the renders are compared with: one entry per render of `RENDERS`, constant during a fit.

    `keep` is 0 where a render owes nothing (the other one is in front there); `weight` is 1 on the pixels that count: inside
    the photograph and inside the projected bounds of human and object. `ssim` and `lpips`: statistics and features of `rgb`.
    """

    rgb: Float[Array, "3 h w 3"]
    mask: Float[Array, "3 h w"]
    keep: Float[Array, "3 h w"]
    weight: Float[Array, "h w"]
    ssim: Any
    lpips: Any


class View(NamedTuple):
    """All that a term may look at in one step."""

    scene: Scene
    assets: Assets
    reference: Reference
    config: Config
    human: Posed
    object_verts: Float[Array, "o 3"]
    pose: ObjectPose
    pivot: Float[Array, "3"]
    human_opacity: Float[Array, " v"]
    object_opacity: Float[Array, " o"]
    renders: Renders | None  # None: no term of this stage reads them


class ContactState(NamedTuple):
    """Eq. 4 at one moment: score (low: contact) and contact region of the vertices of both."""

    human_score: Float[Array, " v"]
    object_score: Float[Array, " o"]
    human_region: Bool[Array, " v"]
    object_region: Bool[Array, " o"]


def projected_bounds(points: Float[Array, "n 3"], scene: Scene, margin: float = 0.1) -> Float[Array, "h w"]:
    """1 inside the box of the projected points, grown by `margin` of its sides, and inside the photograph."""
    h, w = scene.valid.shape
    px = project(points, scene.camera)
    low, high = px.min(0), px.max(0)
    low, high = low - margin * (high - low), high + margin * (high - low)
    x, y = jnp.arange(w) + 0.5, jnp.arange(h) + 0.5
    inside = ((x >= low[0]) & (x <= high[0]))[None] & ((y >= low[1]) & (y <= high[1]))[:, None]
    return (inside & scene.valid).astype(scene.image.dtype)


@partial(jax.jit, static_argnames="names")
def init_reference(scene: Scene, assets: Assets, points: Float[Array, "n 3"], names: frozenset[str]) -> Reference:
    """Targets of the three renders; `points` are all vertices at the start, whose projected bounds limit the loss."""
    human, obj = scene.human_mask, scene.object_mask
    mask = jnp.stack([jnp.maximum(human, obj), human, obj])
    keep = jnp.stack([jnp.ones_like(human), 1 - obj * (1 - human), 1 - human * (1 - obj)])
    weight = projected_bounds(points, scene)
    rgb = scene.image * (mask * weight)[..., None]
    wants_lpips = any(name.startswith("lpips_") for name in names)
    features = lpips_features(assets.lpips, rgb) if wants_lpips else None
    return Reference(rgb, mask * weight, keep, weight, jax.vmap(image_losses.ssim_reference)(rgb), features)


def kept_renders(view: View) -> Frame:
    """The three renders stacked, cut to the pixels that count and that they answer for."""
    assert view.renders is not None, "a term that reads the renders is missing from `reads_renders`"
    frames = jax.tree.map(lambda *x: jnp.stack(x), *(getattr(view.renders, name) for name in RENDERS))
    keep = view.reference.keep * view.reference.weight
    return Frame(frames.rgb * keep[..., None], frames.alpha * keep, frames.depth * keep)


def contact_state(view: View) -> ContactState:
    """Score and region of Eq. 4 from opacities and the distances to the other surface (signed distance grids)."""
    options, scene = view.config, view.scene
    start = inverse_similarity(view.human.verts, view.pose, view.pivot)
    to_object = jnp.exp(view.pose.log_scale) * signed_distance(scene.object_sdf, start)
    to_human = signed_distance(scene.human_sdf, view.object_verts)
    everywhere = jnp.ones(to_object.shape, bool)

    def one(opacity: Array, distance: Array, valid: Array) -> tuple[Array, Array]:
        squared = jnp.maximum(distance, 0) ** 2
        w_a, w_d = options.contact_opacity_weight, options.contact_distance_weight
        score = contact_score(opacity, squared, valid, w_a, w_d)
        return score, contact_region(opacity, squared, valid, options.contact_distance, options.contact_opacity)

    human_score, human_region = one(view.human_opacity, to_object, everywhere)
    object_score, object_region = one(view.object_opacity, to_human, scene.object.valid)
    return jax.lax.stop_gradient(ContactState(human_score, object_score, human_region, object_region))


def _l1(view: View, renders: Frame) -> Float[Array, "3"]:
    reference = view.reference
    return jax.vmap(image_losses.l1, (0, 0, None))(
        renders.rgb, reference.rgb * reference.keep[..., None], reference.weight
    )


def _mask(view: View, renders: Frame) -> Float[Array, "3"]:
    reference = view.reference
    return jax.vmap(image_losses.mask_l2, (0, 0, None))(
        renders.alpha, reference.mask * reference.keep, reference.weight
    )


def _ssim(view: View, renders: Frame) -> Float[Array, "3"]:
    similarity = jax.vmap(image_losses.ssim_to, (0, 0, None))(renders.rgb, view.reference.ssim, view.reference.weight)
    return 1 - similarity


def _lpips(view: View, renders: Frame) -> Float[Array, "3"]:
    return lpips_to(view.assets.lpips, renders.rgb, view.reference.lpips)


def _contact(view: View) -> Float[Array, ""]:
    state, capacity = contact_state(view), view.config.contact_verts
    human = contact_set(state.human_region, state.human_score, capacity)
    obj = contact_set(state.object_region, state.object_score, capacity)
    return contact(view.human.verts[human.index], human.valid, view.object_verts[obj.index], obj.valid)


def _collision(view: View) -> Float[Array, ""]:
    scene = view.scene
    total = collision(
        view.human.verts,
        view.object_verts,
        scene.object.valid,
        scene.human_sdf,
        scene.object_sdf,
        view.pose,
        view.pivot,
    )
    return jnp.where(total < view.config.collision_gate, 0, total)


def _ordinal(view: View) -> Float[Array, ""]:
    scene = view.scene
    h, w = scene.valid.shape
    human = depth_buffer(view.human.verts, view.assets.body.faces, scene.camera, (h, w))
    obj = depth_buffer(view.object_verts, scene.object.faces, scene.camera, (h, w))
    masks = scene.human_mask, scene.object_mask
    return ordinal_depth(human.depth, human.covered, obj.depth, obj.covered, *masks, clip=view.config.ordinal_clip)


def _silhouette_object(view: View) -> Float[Array, ""]:
    scene, reference = view.scene, view.reference
    h, w = scene.valid.shape
    soft = soft_silhouette(view.object_verts, scene.object.faces, scene.camera, (h, w))
    weight = reference.keep[2] * reference.weight
    return ((soft - reference.mask[2]) ** 2 * weight).sum() / jnp.maximum(reference.mask[2].sum(), 1)


def _silhouette_crop(view: View) -> Float[Array, ""]:
    crop = view.scene.object_crop
    side = len(crop.target)
    soft = soft_silhouette(view.object_verts, view.scene.object.faces, crop.camera, (side, side))
    return crop_silhouette(soft, crop.target)


def interaction_gap(view: View) -> Float[Array, ""]:
    """The gap in depth that ends the interaction, metres: PHOSA's lens has the focal length 1 image, ours n times that.

    The same error of scale is n times as far in depth, so the gap allowed is n times as large.
    """
    return view.config.interaction_gap * view.scene.camera.focal.mean() / max(view.scene.valid.shape)


def _interaction(view: View) -> Float[Array, ""]:
    scene, options = view.scene, view.config
    return interaction(
        view.human.verts,
        view.object_verts,
        scene.object.valid,
        scene.camera,
        options.interaction_box,
        interaction_gap(view),
    )


def _part_interaction(view: View) -> Float[Array, ""]:
    scene, options = view.scene, view.config
    return part_interaction(
        view.human.verts,
        scene.human_parts,
        scene.contact_parts,
        view.object_verts,
        scene.object.valid,
        scene.camera,
        options.interaction_part_box,
        interaction_gap(view),
    )


def _scale_prior(view: View) -> Float[Array, ""]:
    size = object_size(view.scene.object, view.pivot)
    return scale_prior(view.pose.log_scale, size, view.config.object_length)


def _object_area(view: View) -> Float[Array, ""]:
    return image_losses.object_area(kept_renders(view).alpha[2], view.reference.mask[2])


def _object_center(view: View) -> Float[Array, ""]:
    return image_losses.object_center(kept_renders(view).alpha[2], view.reference.mask[2])


# Three values each: joint, human, object. A term's name is <kind>_<render>.
RENDER_TERMS: dict[str, Callable[[View, Frame], Array]] = {"l1": _l1, "mask": _mask, "ssim": _ssim, "lpips": _lpips}

SINGLE_TERMS: dict[str, Callable[[View], Array]] = {
    "contact": _contact,
    "collision": _collision,
    "ordinal": _ordinal,
    "silhouette_object": _silhouette_object,
    "silhouette_crop": _silhouette_crop,
    "interaction": _interaction,
    "part_interaction": _part_interaction,
    "scale_prior": _scale_prior,
    "object_area": _object_area,
    "object_center": _object_center,
}
RENDER_READERS = {"object_area", "object_center"}  # of SINGLE_TERMS, those that look at `View.renders`

TERMS = tuple(f"{kind}_{render}" for kind in RENDER_TERMS for render in RENDERS) + tuple(SINGLE_TERMS)


def check_terms(names: Iterable[str]) -> None:
    """Raises ValueError for a loss term that does not exist."""
    for name in names:
        if name not in TERMS:
            raise ValueError(f"no such loss term: {name!r}; {nearest_name(name, TERMS)}")


def reads_renders(names: Iterable[str]) -> bool:
    """Whether any of these terms looks at the renders of the Gaussians."""
    return any(name not in SINGLE_TERMS or name in RENDER_READERS for name in names)


def term_values(view: View, names: Iterable[str]) -> dict[str, Float[Array, ""]]:
    """The named terms, unweighted. Only what is named is computed."""
    wanted = sorted(names)
    check_terms(wanted)
    values: dict[str, Array] = {}
    kinds = [kind for kind in RENDER_TERMS if any(f"{kind}_{render}" in wanted for render in RENDERS)]
    if kinds:
        renders = kept_renders(view)
        for kind in kinds:
            values |= {f"{kind}_{render}": value for render, value in zip(RENDERS, RENDER_TERMS[kind](view, renders))}
    values |= {name: SINGLE_TERMS[name](view) for name in wanted if name in SINGLE_TERMS}
    return {name: values[name] for name in wanted}

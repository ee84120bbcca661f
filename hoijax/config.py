"""Options: frozen, hashable dataclasses, and the presets built from them. An ablation is `dataclasses.replace`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flax.core import FrozenDict

# What `Stage.rates` may name: the trainable parameters, as paths into `Params` (both splat sets share their rates).
PARAMETERS = (
    "object.rotvec",
    "object.translation",
    "object.log_scale",
    "splats.rgb",
    "splats.logit_opacity",
    "splats.log_scale",
    "splats.quat",
    "human.pose",
    "human.skinning",
)

# Learning rates of the released code (method: section 6). Means have no rate: they ride on the vertices.
RELEASE_RATES = {
    "object.rotvec": 0.01,
    "object.translation": 0.01,
    "object.log_scale": 0.05,
    "splats.rgb": 5e-4,
    "splats.logit_opacity": 0.05,
    "splats.log_scale": 5e-6,
    "splats.quat": 1e-3,
    "human.pose": 1e-5,
    "human.skinning": 1e-5,
}

# Rendering loss (Open3DHOI Eq. 5 and its weights): joint, object and human renders.
RENDER_WEIGHTS = {
    "l1_joint": 0.3,
    "l1_object": 1.0,
    "l1_human": 1.0,
    "mask_joint": 0.05,
    "mask_object": 0.1,
    "mask_human": 0.1,
    "ssim_joint": 0.005,
    "ssim_object": 0.01,
    "ssim_human": 0.01,
    "lpips_joint": 0.005,
    "lpips_object": 0.01,
    "lpips_human": 0.01,
}

HOI_WEIGHTS = {"contact": 1.0, "ordinal": 1.0, "collision": 1e-4}


def option(default: Any, about: str) -> Any:
    """A field of `Config` with its default and the sentence that --help shows."""
    return field(default=default, metadata={"help": about})


@dataclass(frozen=True)
class Capacity:
    """Static sizes of the rasterizer: list entries, and work items of consecutive entries (see hoijax.splats)."""

    entries: int = 49152
    items: int = 4096


@dataclass(frozen=True)
class Stage:
    """Adam steps under one loss. A term or parameter that is not named is neither evaluated nor moved.

    `slide` > 0: before the stage, search the object's place along the viewing ray within this many metres.
    """

    name: str
    steps: int
    weights: Mapping[str, float]
    rates: Mapping[str, float]
    slide: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", FrozenDict(self.weights))
        object.__setattr__(self, "rates", FrozenDict(self.rates))
        unknown = set(self.rates) - set(PARAMETERS)
        if unknown:
            raise ValueError(f"stage {self.name!r}: rates name {sorted(unknown)}; known parameters: {PARAMETERS}")
        if self.steps < 0:
            raise ValueError(f"stage {self.name!r}: steps is {self.steps}, expected 0 or more")


@dataclass(frozen=True)
class Config:
    """Every option of one reconstruction. Static under `jit`: equal configs share compiled code."""

    preset: str
    stages: tuple[Stage, ...]
    image_size: int = option(256, "Long side of the image that is optimised, in pixels.")
    image_multiple: int = option(
        64, "Both sides are padded to a multiple of this: few shapes, little padding. image_size: always square."
    )
    object_faces: int = option(8000, "Face capacity of the object; larger meshes are decimated.")
    object_verts: int = option(4608, "Vertex capacity of the object; smaller meshes are padded.")
    object_splat_size: float = option(
        1.0, "Object Gaussian scale is sqrt(this x d2), d2: mean squared 3-neighbour distance."
    )
    object_opacity: float = option(0.1, "Initial opacity of the object's Gaussians.")
    human_splat_size: float = option(0.1, "The human's Gaussian scale is sqrt(this x d2).")
    human_opacity: float = option(0.1, "Initial opacity of the human's Gaussians.")
    hide_back_human: bool = option(True, "Human vertices that face away from the camera start at opacity 1e-5.")
    hide_back_object: bool = option(False, "The same for the object.")
    lpips_net: str = option("alex", "Network of the LPIPS terms: alex or vgg.")
    contact_opacity_weight: float = option(0.2, "w_a of the contact score (Eq. 4).")
    contact_distance_weight: float = option(0.8, "w_d of the contact score (Eq. 4).")
    contact_distance: float = option(0.05, "Contact region: Norm(d^2) is under this.")
    contact_opacity: float = option(0.05, "Contact region: Norm(opacity) is under this.")
    contact_verts: int = option(2048, "Contact: at most this many vertices of each, the lowest scores first.")
    ordinal_clip: float = option(2.0, "Depth order: differences above (metres) carry no gradient.")
    ordinal_reduce: str = option(
        "mean", "Depth order: mean over the pixels where both are drawn, or sum over the wrong ones (as in PHOSA)."
    )
    collision_gate: float = option(0.0, "A collision sum under this counts as none.")
    slide_order: float = option(50.0, "Search along the ray: weight of the depth order (mean violation in metres).")
    slide_order_clip: float = option(0.1, "Search along the ray: depth violations count up to this many metres.")
    slide_collision: float = option(
        200.0, "Search along the ray: weight of the collision (mean inside depths in metres)."
    )
    slide_contact: float = option(
        1.0, "Search along the ray: weight of the contact (mean nearness of the human's vertices)."
    )
    slide_contact_distance: float = option(0.02, "Search along the ray: contact fades over this distance in metres.")
    sdf_resolution: int = option(64, "Samples along each side of a signed distance grid.")
    block_steps: int = option(20, "Steps between two looks of the host: progress, overflow.")
    seed: int = option(0, "Seed of the refiners' start values.")


def static_options(config: Config) -> Config:
    """The options that shape a compiled program: names, stages and the seed are blanked, so that code is shared."""
    return replace(config, preset="", stages=(), seed=0)


def paper() -> Config:
    """The text of the paper: 100 steps of the rendering loss, then 60 with the HOI loss added; all parameters free."""
    render = Stage("render", 100, RENDER_WEIGHTS, RELEASE_RATES)
    hoi = Stage("hoi", 60, {**RENDER_WEIGHTS, **HOI_WEIGHTS}, RELEASE_RATES)
    return Config("paper", (render, hoi))


def release() -> Config:
    """What the released code in effect optimises: no render loss in stage 2, no contact, no working depth order.

    Stage 1 adds the object's area and centroid; stage 2 is the gated collision alone, with rotation and scale frozen.
    """
    area = {"object_area": 0.01, "object_center": 0.01}
    rates = {name: rate for name, rate in RELEASE_RATES.items() if name not in ("object.rotvec", "object.log_scale")}
    render = Stage("render", 100, {**RENDER_WEIGHTS, **area}, RELEASE_RATES)
    hoi = Stage("hoi", 60, {"collision": 1e-5}, rates)
    return Config("release", (render, hoi), collision_gate=50.0)


def hoijax() -> Config:
    """Ours, the default: the outline of the mesh aligns the object, a search along the ray gives its depth.

    Departures from `paper`; docs/presets.md says what was measured of them and what was not. The object's mask is compared
    with the soft silhouette of its mesh instead of its splats; its Gaussians have the size of the human's and start at
    opacity 0.5; before stage 2 the object is moved along the viewing ray to where depth order, collision and contact
    agree; stage 2 polishes the image terms; no LPIPS; the human's refiners stand still.
    """
    dropped = ("lpips_joint", "lpips_object", "lpips_human", "mask_object")
    weights = {name: weight for name, weight in RENDER_WEIGHTS.items() if name not in dropped}
    weights["silhouette_object"] = 1.0
    rates = {name: rate for name, rate in RELEASE_RATES.items() if not name.startswith("human.")}
    stages = Stage("render", 100, weights, rates), Stage("hoi", 60, weights, rates, slide=0.6)
    return Config("hoijax", stages, object_splat_size=0.1, object_opacity=0.5)


PRESETS = {"hoijax": hoijax, "paper": paper, "release": release}

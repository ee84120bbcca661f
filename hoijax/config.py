"""Options: frozen, hashable dataclasses, and the presets built from them. An ablation is `dataclasses.replace`."""

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Capacity:
    """Static sizes of the rasterizer: list entries, and work items of consecutive entries (see hoijax.splats)."""

    entries: int = 49152
    items: int = 4096


@dataclass(frozen=True)
class Stage:
    """Adam steps under one loss. A term or parameter that is not named is neither evaluated nor moved."""

    name: str
    steps: int
    weights: Mapping[str, float]
    rates: Mapping[str, float]

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
    image_size: int = 256  # long side of the image that is optimised, pixels
    object_faces: int = 8000  # meshes above are decimated to this
    object_verts: int = 4608  # vertex capacity of the object; meshes are padded to it
    object_splat_size: float = 1.0  # object Gaussian scale = sqrt(this * d2), d2: mean squared 3-neighbour distance
    object_opacity: float = 0.1  # initial opacity of the object's Gaussians
    human_splat_size: float = 0.1  # the same for the human
    human_opacity: float = 0.1
    hide_back_human: bool = True  # vertices that face away from the camera start at opacity 1e-5
    hide_back_object: bool = False
    lpips_net: str = "alex"  # "alex" or "vgg"
    contact_opacity_weight: float = 0.2  # w_a of Eq. 4
    contact_distance_weight: float = 0.8  # w_d of Eq. 4
    contact_distance: float = 0.05  # threshold on Norm(d^2) for the contact region
    contact_opacity: float = 0.05  # threshold on Norm(opacity) for the contact region
    ordinal_clip: float = 2.0  # metres: depth differences above carry no gradient
    collision_gate: float = 0.0  # a collision sum under this counts as none
    sdf_resolution: int = 64  # samples along the longest side of a signed distance grid
    block_steps: int = 20  # steps between two looks of the host: progress, checkpoint, overflow
    seed: int = 0


def paper() -> Config:
    """The text of the paper: 100 steps of the rendering loss, then 60 with the HOI loss added; all parameters free."""
    render = Stage("render", 100, RENDER_WEIGHTS, RELEASE_RATES)
    hoi = Stage("hoi", 60, {**RENDER_WEIGHTS, **HOI_WEIGHTS}, RELEASE_RATES)
    return Config("paper", (render, hoi))


PRESETS = {"paper": paper}

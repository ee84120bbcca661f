"""Options: frozen, hashable dataclasses, and the presets built from them. An ablation is `with_options`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
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


# What options that name one of two things may be.
CHOICES = {"scale_about": ("object", "camera"), "ordinal_reduce": ("mean", "sum"), "rasterizer": ("xla", "pallas")}


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

    Before the stage, `search` > 0: search the object's pose by its silhouette, from this many random rotations; `align` > 0:
    from this many rotations about where it stands, and along the viewing ray within `slide` metres; `slide` > 0 alone:
    search its place along the viewing ray.
    """

    name: str
    steps: int = field(metadata={"help": "Adam steps."})
    weights: Mapping[str, float]
    rates: Mapping[str, float]
    slide: float = option(0.0, "Half range (m) of the search along the ray before it; 0: none.")
    search: int = option(0, "Rotations that the pose search before it tries; 0: no search.")
    align: int = option(0, "Rotations about the start that the alignment before it tries; 1: polish, 0: none.")

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
    scale_about: str = option(
        "object",
        "The object is scaled about its own centre (object), or about the camera, which leaves the image (camera).",
    )
    crop_size: int = option(256, "Side of the crop around the object that silhouette_crop compares, in pixels.")
    crop_margin: float = option(0.3, "The crop is longer than the longer side of the object's mask by this share.")
    search_keep: int = option(32, "Pose search: how many of the rotations, the best, are refined by gradient.")
    search_size: int = option(96, "Pose search: side of the crop in which poses are scored and refined, in pixels.")
    search_steps: int = option(50, "Pose search: Adam steps on each pose that is refined.")
    search_rate: float = option(1e-3, "Pose search: learning rate of rotation (radians) and translation (metres).")
    align_keep: int = option(6, "Alignment: how many of the rotations, the best, are refined.")
    align_best: int = option(
        3, "Alignment: how many of these are refined in full and compared by contact and depth order."
    )
    align_turn: float = option(0.02, "Alignment: outline error that a turn by one radian from the start costs.")
    align_outline: float = option(10.0, "Alignment: weight of the outline error beside the slide's energy.")
    contact_parts: str = option(
        "", "Body parts that touch the object, with commas between; empty: those annotated with the sample."
    )
    interaction_box: float = option(0.3, "Interaction: boxes in the image grow by this share of their sides.")
    interaction_part_box: float = option(0.3, "Part interaction: the same.")
    interaction_gap: float = option(
        3.0,
        "Interaction, whole and parts: gaps in depth above this end it; metres x focal length / long side of the image.",
    )
    object_length: float = option(
        0.0, "Scale prior: length of such objects in metres; 0: unknown, the coarse scale is the prior's mean."
    )
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
    rasterizer: str = option(
        "xla", "What composites the Gaussians: xla, or pallas, a kernel for NVIDIA GPUs that has not run on one yet."
    )
    pose_steps: int = option(
        0,
        "Steps at each of three blurs by which the human's limbs and place are refined before the first stage; 0: none.",
    )
    block_steps: int = option(20, "Steps between two looks of the host: progress, overflow.")
    seed: int = option(0, "Seed of the refiners' start values and of the pose search.")

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {known[0]!r} or {known[1]!r}")


def static_options(config: Config) -> Config:
    """The options that shape a compiled program: names, stages and the seed are blanked, so that code is shared."""
    return replace(config, preset="", stages=(), seed=0)


def option_names(config: Config) -> Iterator[str]:
    """Every name that `with_options` takes; of weights those that some stage has, as the terms are not known here."""
    yield from (each.name for each in fields(Config) if each.name not in ("preset", "stages"))
    terms = dict.fromkeys(name for stage in config.stages for name in stage.weights)
    for stage in config.stages:
        for each in fields(Stage):
            value = getattr(stage, each.name)
            keys = {"weights": terms, "rates": PARAMETERS}.get(each.name, value)
            if isinstance(value, Mapping):
                yield from (f"{stage.name}.{each.name}.{key}" for key in keys)
            elif each.name != "name":
                yield f"{stage.name}.{each.name}"


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: which known one is most like it."""
    found = get_close_matches(name, known, 1, 0.5)
    return f"did you mean {found[0]!r}?" if found else f"there are {', '.join(sorted(known))}"


def with_options(config: Config, changes: Mapping[str, Any]) -> Config:
    """The config with options changed by the names of their flags, without `config.`.

    "image_size", "hoi.slide", "hoi.weights.contact" (0 leaves the term out), "render.rates.human.pose" (0 holds it still).
    Raises ValueError for a name that this config lacks and for a value of another type. (Which loss terms exist is
    known to `hoijax.losses.terms.check_terms`, and checked when a fit starts.)
    """
    for name, value in changes.items():
        stage, _, rest = name.partition(".")
        own = {each.name: each for each in config.stages}
        if rest and stage in own:
            new = _changed(own[stage], rest, value, name, config)
            config = replace(config, stages=tuple(new if each is own[stage] else each for each in config.stages))
        else:
            config = _changed(config, name, value, name, config)
    return config


def _changed(part: Any, path: str, value: Any, name: str, config: Config) -> Any:
    """A `Config` or `Stage` with one option changed: a field, or one entry of a field that is a mapping."""
    key, _, entry = path.partition(".")
    known = {each.name for each in fields(part)} - {"name", "preset", "stages"}
    old: Any = getattr(part, key) if key in known else None
    fits = key in known and isinstance(old, Mapping) == bool(entry) and (key != "rates" or entry in PARAMETERS)
    if not fits:
        stages = ", ".join(stage.name for stage in config.stages) or "none"
        hint = nearest_name(name, list(option_names(config)))
        raise ValueError(f"no option {name!r} in the preset {config.preset!r} (its stages: {stages}); {hint}")
    if not entry:
        return replace(part, **{key: _like(old, value, name)})
    number = _like(0.0, value, name)
    return replace(part, **{key: {k: v for k, v in {**old, entry: number}.items() if k != entry or number != 0}})


def _like(old: Any, value: Any, name: str) -> Any:
    """The value, of the old one's type; a whole number may stand for a float."""
    if type(old) is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, type(old)) or (isinstance(value, bool) and not isinstance(old, bool)):
        raise ValueError(f"the option {name!r} is {value!r}, expected {type(old).__name__} like {old!r}")
    return value

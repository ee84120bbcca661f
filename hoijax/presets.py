"""The presets: configs by name. `paper` is the text, `release` the released code, `phosa` the baseline, `hoijax` ours."""

from dataclasses import dataclass

from hoijax.config import Config, Stage

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
    """Ours, the default: outline and contact place the object, Gaussians turn it by its colours, the outline ends it.

    Departures from `paper`; docs/presets.md says what was measured of them and what was not. Before the first stage the
    alignment turns, scales and moves the object to where its outline fits and, along the viewing ray, to where contact,
    collision and depth order agree best. The object's mask is compared with the soft silhouette of its mesh instead of its
    splats; its Gaussians have the size of the human's and start at opacity 0.5; no LPIPS; the human's refiners stand still.
    Before stage 2 the outline is fitted once more, at the resolution of the crop, which stage 2 polishes alone.
    """
    dropped = ("lpips_joint", "lpips_object", "lpips_human", "mask_object")
    weights = {name: weight for name, weight in RENDER_WEIGHTS.items() if name not in dropped}
    weights["silhouette_object"] = 1.0
    rates = {name: rate for name, rate in RELEASE_RATES.items() if not name.startswith("human.")}
    polish = {"object.translation": 5e-4, "object.log_scale": 1e-3}
    render = Stage("render", 100, weights, rates, slide=0.6, align=256)
    hoi = Stage("hoi", 60, {"silhouette_crop": 1.0}, polish, slide=0.2, align=1)
    return Config("hoijax", (render, hoi), object_splat_size=0.1, object_opacity=0.5)


@dataclass(frozen=True)
class PhosaRow:
    """PHOSA's settings for one class of objects: weights; `length` in metres (twice its mean scale; 0: the coarse one);
    how much boxes of the whole and of the parts grow; the largest gap in depth; the parts that touch ("": annotated)."""

    interaction: float
    ordinal: float
    part: float
    silhouette: float
    collision: float
    scale: float
    length: float
    box: float
    part_box: float
    gap: float
    parts: str


_HANDS = "left palm, left fingers, right palm, right fingers"
_PALMS = "left palm, right palm"
_FEET = "left foot, right foot"
PHOSA_DEFAULT = PhosaRow(20.0, 1.0, 50.0, 10.0, 2.0, 100.0, 0.0, 0.3, 0.3, 3.0, "")
PHOSA_ROWS = {
    "bicycle": PhosaRow(20.0, 1.0, 50.0, 10.0, 2.0, 100.0, 1.82, 0.0, 0.7, 2.0, f"bottom, {_HANDS}, {_FEET}"),
    "bat": PhosaRow(30.0, 0.01, 100.0, 20.0, 1.0, 1e4, 0.80, 0.5, 2.5, 5.0, _PALMS),
    "bench": PhosaRow(30.0, 0.1, 50.0, 50.0, 10.0, 1e3, 1.90, 0.3, 0.5, 3.0, "bottom, back"),
    "laptop": PhosaRow(20.0, 0.01, 20.0, 10.0, 10.0, 1e3, 0.48, 0.2, 0.0, 2.5, _HANDS),
    "motorcycle": PhosaRow(0.0, 1.0, 100.0, 20.0, 2.0, 100.0, 2.04, 0.0, 0.7, 5.0, f"bottom, {_HANDS}, {_FEET}"),
    "skateboard": PhosaRow(10.0, 0.01, 50.0, 10.0, 100.0, 1e4, 0.70, 0.8, 0.5, 3.0, _FEET),
    "surfboard": PhosaRow(
        50.0, 10.0, 100.0, 10.0, 20.0, 1e3, 2.00, 0.0, 0.2, 5.0, f"{_FEET}, left lower leg, right lower leg"
    ),
    "tennis": PhosaRow(30.0, 0.01, 500.0, 10.0, 10.0, 1e4, 0.66, 0.4, 2.0, 5.0, _PALMS),
}


def phosa(category: str | None = None, collision: bool = False) -> Config:
    """The baseline PHOSA (ECCV 2020): a search over rotations by silhouette, then interaction, scale and depth order.

    `category`: one of `PHOSA_ROWS`, whose weights, object length and touching parts are taken; None: the row for
    everything else, with the coarse scale and the sample's annotated parts. `collision`: also weigh that term, which
    the released program lists but lacks. Departures: docs/presets.md.
    """
    if category is not None and category not in PHOSA_ROWS:
        raise ValueError(f"phosa has no category {category!r}; there are {', '.join(sorted(PHOSA_ROWS))}")
    row = PHOSA_ROWS[category] if category else PHOSA_DEFAULT
    weights = {
        "interaction": row.interaction,
        "ordinal": row.ordinal,
        "part_interaction": row.part,
        "silhouette_crop": row.silhouette,
        "scale_prior": row.scale,
        "collision": row.collision if collision else 0,
    }
    rates = {"object.rotvec": 1e-3, "object.translation": 1e-3, "object.log_scale": 1e-3}
    weights = {name: float(weight) for name, weight in weights.items() if weight}
    return Config(
        "phosa",
        (Stage("joint", 400, weights, rates, search=2000),),
        scale_about="camera",
        ordinal_reduce="sum",
        contact_parts=row.parts,
        interaction_box=float(row.box),
        interaction_part_box=float(row.part_box),
        interaction_gap=float(row.gap),
        object_length=float(row.length),
    )


PRESETS = {"hoijax": hoijax, "paper": paper, "release": release, "phosa": phosa}

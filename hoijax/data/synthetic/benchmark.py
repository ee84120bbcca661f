"""The benchmark: many designs, in two splits of disjoint seeds, seen and reconstructed as a photograph would be.

Each scene has the exact truth of the built-in ones. What a method is given is not: the photograph is blurred, noisy and
compressed, the depth map is what a network would estimate, and the object starts where the coarse reconstruction puts it.
"""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.body.builtin import builtin_body
from hoijax.coarse.place import Coarse
from hoijax.data.sample import Sample
from hoijax.data.synthetic.coarse_start import coarse_start
from hoijax.data.synthetic.compose import Found, Shot, Variation, fitting, mask_box, shot
from hoijax.data.synthetic.designs_held import HELD
from hoijax.data.synthetic.designs_large import LARGE
from hoijax.data.synthetic.designs_ridden import RIDDEN
from hoijax.data.synthetic.disturbed import with_disturbed_human
from hoijax.data.synthetic.make import CONTACT, LOOSE, drawn_outfit
from hoijax.data.synthetic.monocular import delivered_mesh, estimated_depth
from hoijax.data.synthetic.photo import drawn_light, photograph
from hoijax.data.synthetic.scenes import Design

BENCHMARK: dict[str, Design] = HELD | RIDDEN | LARGE
SPLITS = {"dev": 100, "test": 200}  # the first seed of each
MOST_PER_DESIGN = 100
STATURE, SHAPE = 1.5, 2.0  # largest first coefficient, which is mostly the body's size, and largest of the others
UNREST = 3.0  # degrees, standard deviation, by which loose joints depart from the design
TURNED, LOOKS = 30.0, (-4.0, 8.0)  # degrees by which the camera departs from the design's yaw and pitch
DISTANCE = (10.0, 40.0)  # metres
NEARER = (0.86, 1.04)  # factor of the design's extent in the picture
PLACES = {  # floors and walls that a design's own wall may stand for
    "plaster": (("boards", "tiles"), ("plaster", "plaster", "bricks")),
    "bricks": (("tiles", "lawn"), ("bricks", "hedge")),
    "hedge": (("lawn", "tiles"), ("hedge", "bricks")),
}
LEAST_SEEN = 350  # pixels of the object; cameras that see less are drawn again
VIEWS = 6


class Scene(NamedTuple):
    """A sample as a method gets it, with `truth`; the true depth map, metres; how the coarse start came about."""

    sample: Sample
    true_depth: Float[np.ndarray, "h w"]
    coarse: Coarse


def benchmark_names() -> tuple[str, ...]:
    """Names of the designs."""
    return tuple(BENCHMARK)


def benchmark_seeds(split: str, per_design: int = 1) -> tuple[int, ...]:
    """Seeds of a split, each of which makes one scene of every design. Raises ValueError for what there is not."""
    if split not in SPLITS:
        raise ValueError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    if not 1 <= per_design <= MOST_PER_DESIGN:
        raise ValueError(f"{per_design} scenes per design: expected 1 to {MOST_PER_DESIGN}")
    return tuple(range(SPLITS[split], SPLITS[split] + per_design))


def benchmark_folder(name: str, seed: int) -> Path:
    """Where a scene belongs in a tree of samples: <category>/<action>_<seed>."""
    design = BENCHMARK[name]
    return Path(design.category) / f"{design.action.replace(' ', '_')}_{seed}"


def benchmark_scene(name: str, seed: int, disturbed: bool = False) -> Scene:
    """One scene of 512 x 512 pixels; equal arguments give equal bytes.

    The seed decides the person, the camera, the place and its light, what the camera does to the picture, and the errors
    of the depth map and of the delivered mesh. Contact parts are all parts with a vertex within 2 cm of the object's
    surface. `disturbed`: the person given to a method is not the true one (see `with_disturbed_human`), who is kept as
    `human_truth`. Nobody is deeper in the object than the design allows, and what holds it is within 9 mm of it.

    Raises: ValueError for an unknown name; RuntimeError where nobody fits, or no camera sees the object.
    """
    if name not in BENCHMARK:
        raise ValueError(f"design {name!r}: expected one of {', '.join(BENCHMARK)}")
    design, title = BENCHMARK[name], f"design {name!r}, seed {seed}"
    own = [zlib.crc32(name.encode()), seed]

    def drawn(attempt: int) -> tuple[Variation, np.random.Generator]:
        rng = np.random.default_rng([*own, attempt])
        return _person(design, rng), rng

    found = fitting(title, design, builtin_body(), drawn)
    seen = _seen(title, design, found)
    rng = found.rng
    image = photograph(seen.picture.image, rng)
    depth = estimated_depth(seen.picture.depth, float(np.ptp(seen.human.verts[:, 2])), rng)
    offset = np.asarray(seen.pose.translation, np.float64)
    masks = seen.human_mask, seen.object_mask
    start, coarse = coarse_start(delivered_mesh(seen.truth, rng), seen.human, offset, seen.camera, depth, *masks)
    sample = Sample(
        name=benchmark_folder(name, seed).as_posix(),
        folder=benchmark_folder(name, seed),
        image=image,
        human_mask=seen.human_mask,
        object_mask=seen.object_mask,
        camera=seen.camera,
        pose=seen.pose,
        human=seen.human,
        object=start,
        truth=seen.truth,
        depth=depth,
        human_box=mask_box(seen.human_mask),
        object_box=mask_box(seen.object_mask),
        contact_parts=tuple(part for part, gap in seen.gaps.items() if gap < CONTACT),
        category=design.category,
        action=design.action,
    )
    if disturbed:
        sample = with_disturbed_human(sample, own)
    return Scene(sample, seen.picture.depth, coarse)


def _person(design: Design, rng: np.random.Generator) -> Variation:
    """Body, clothes and unrest of the joints; the camera is drawn later."""
    shape = np.clip(rng.normal(0, 1, 10), -SHAPE, SHAPE)
    shape[0] = np.clip(shape[0], -STATURE, STATURE)
    noise = np.radians(rng.normal(0, UNREST, (55, 3))) * LOOSE[:, None]
    tint = np.clip(np.array(design.tint) * rng.uniform(0.85, 1.1, 3), 0, 1)
    outfit = drawn_outfit(replace(design.outfit, eyes=(0.42, 0.34, 0.28)), rng)
    return Variation(shape, noise, outfit, design.yaw, design.pitch, 0.0, tint, int(rng.integers(1 << 16)))


def _seen(title: str, design: Design, found: Found) -> Shot:
    """The first picture that shows enough of the object. Raises RuntimeError when none does."""
    rng = found.rng
    for _ in range(VIEWS):
        varied = found.varied._replace(
            yaw=design.yaw + rng.uniform(-TURNED, TURNED),
            pitch=max(0.5, design.pitch + rng.uniform(*LOOKS)),
            distance=float(np.exp(rng.uniform(*np.log(DISTANCE)))),
        )
        floors, walls = PLACES[design.wall]
        there = replace(
            design, floor=rng.choice(floors), wall=rng.choice(walls), extent=design.extent * rng.uniform(*NEARER)
        )
        seen = shot(there, builtin_body(), found._replace(varied=varied), drawn_light(rng))
        if seen.object_mask.sum() >= LEAST_SEEN:
            return seen
    raise RuntimeError(f"{title}: {VIEWS} cameras tried, none sees {LEAST_SEEN} pixels of the object")

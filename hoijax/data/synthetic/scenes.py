"""The six scenes: pose, clothes, camera and surroundings of each, and how a person gets from the pose into touch.

A person first settles (feet on the floor, or seat on the object), then reaches for the object with the hands.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.body.outfit import RGB, Outfit
from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import objects, plans
from hoijax.data.synthetic.figure import Figure, Placed, Stance, place, stance_of
from hoijax.data.synthetic.goals import FINGERS, SIDES, Planner
from hoijax.data.synthetic.reach import Goal, Reach, Touch, reach

DEEPEST = 0.008  # metres that a vertex may be inside the object


@dataclass(frozen=True)
class Design:
    """One scene. `settle` and `handle` are its two plans, each made from the figure as it stands by then.

    `contact_parts` touch the object; `near_parts` are labelled as well where they come near. `yaw`, `pitch`: degrees
    the camera goes round to the person's left, and looks down. `extent`: share of the image's height that person and
    object fill together. `tint`: of a plastered wall. `seat`: height of what the person sits on, None on their feet.
    `aim`: what the camera looks at, from the middle of both, in half their extents in the picture, right and down.
    `soft`: metres that a vertex may be inside the object.
    """

    category: str
    action: str
    turns: dict[str, str]
    settle: Planner
    handle: Planner
    contact_parts: tuple[str, ...]
    yaw: float
    pitch: float
    extent: float
    floor: str = "boards"
    wall: str = "plaster"
    outfit: Outfit = field(default_factory=Outfit)
    tint: RGB = (0.78, 0.80, 0.78)
    shape: tuple[float, ...] = ()
    near_parts: tuple[str, ...] = ()
    seat: float | None = None
    aim: tuple[float, float] = (0.0, 0.0)
    soft: float = DEEPEST


def solved(design: Design, figure: Figure, noise: Float[np.ndarray, "55 3"]) -> tuple[Placed, Stance, ColoredMesh]:
    """The figure in its final stance and the object in its place; `noise` (rotation vectors) unsettles the joints."""
    stance = _start(design, figure, noise)
    thing: ColoredMesh | None = None
    for planner, moves in ((design.settle, True), (design.handle, False)):
        plan = planner(figure, place(figure, stance), thing)
        thing = plan.object
        places = [_clear(goal) for goal in plan.goals if not isinstance(goal, Touch)]
        if places:  # first to the right place, through the object if need be, so that nothing is left on its far side
            stance = reach(figure, stance, None, places, plan.free, moves=False)
        stance = reach(figure, stance, thing, plan.goals, plan.free, moves)
    assert thing is not None
    return place(figure, stance), stance, thing


def _clear(goal: Goal) -> Goal:
    return goal._replace(point=goal.point + goal.clear) if isinstance(goal, Reach) else goal


def _start(design: Design, figure: Figure, noise: Float[np.ndarray, "55 3"]) -> Stance:
    """The designed pose with noise, its lowest point on the floor or its seat on the object."""
    stance = stance_of(design.turns, np.zeros(3))
    stance = stance._replace(local=stance.local @ Rotation.from_rotvec(noise).as_matrix())
    height = place(figure, stance).verts[:, 1]
    rise = -height.min() if design.seat is None else design.seat - height[figure.patches["seat"]].min()
    return stance._replace(root=np.array([0.0, rise, 0.0]))


HANDS = tuple(f"{side} {part}" for side, _ in SIDES for part in ("palm", "fingers"))
THIGHS = ("left upper leg", "right upper leg")
EYES = (0.42, 0.34, 0.28)  # iris and white together, as small as they are in these pictures
RELAXED = {
    **{"both_index1": "z-14", "both_index2": "z-18", "both_index3": "z-12"},
    **{"both_middle1": "z-18", "both_middle2": "z-22", "both_middle3": "z-14"},
    **{"both_ring1": "z-22", "both_ring2": "z-24", "both_ring3": "z-16"},
    **{"both_pinky1": "z-24", "both_pinky2": "z-26", "both_pinky3": "z-18", "both_thumb2": "z-8"},
}
FLAT = {name.replace("left", "both"): "z-2" for name in FINGERS if name.startswith("left") and "thumb" not in name}
FLAT |= {"both_thumb1": "x-30", "both_thumb2": "z6"}  # out of the way of what the palm lies on
STANDING = RELAXED | {"both_hip": "z-4", "both_ankle": "z2"}

DESIGNS: dict[str, Design] = {
    "box": Design(
        category="box",
        action="carry",
        turns=STANDING
        | FLAT
        | {"both_shoulder": "x-70 z35 y-20", "both_elbow": "x-20 y-50", "both_wrist": "x-50"}
        | {"left_hip": "x-16 z-3", "left_knee": "x10", "right_hip": "x12 z3", "right_knee": "x12"},
        settle=plans.stand,
        handle=plans.hold_box,
        contact_parts=HANDS,
        yaw=32.0,
        pitch=6.0,
        extent=0.84,
        floor="tiles",
        wall="bricks",
        outfit=Outfit(eyes=EYES),
        shape=(0.6, -0.4),
    ),
    "chair": Design(
        category="chair",
        action="sit on",
        turns=RELAXED
        | {"both_hip": "x-86 z-6", "both_knee": "x84", "both_ankle": "x4", "head": "y8 x6"}
        | {"both_shoulder": "z-66 x-30", "both_elbow": "y-70"},
        settle=plans.sit,
        handle=plans.rest_hands,
        contact_parts=("bottom", "back", *THIGHS),
        near_parts=("left hip", "right hip"),
        yaw=-50.0,
        pitch=9.0,
        extent=0.76,
        floor="boards",
        wall="plaster",
        outfit=Outfit(shirt=(0.72, 0.66, 0.52), trousers=(0.18, 0.25, 0.40), eyes=EYES),
        tint=(0.74, 0.80, 0.78),
        seat=objects.SEAT_HEIGHT,
    ),
    "ball": Design(
        category="ball",
        action="hold",
        turns=STANDING
        | {"both_shoulder": "z-62 x-22", "both_elbow": "y-80", "head": "x14"}
        | {"left_hip": "z-5", "right_hip": "x-6 z5", "right_knee": "x9"},
        settle=plans.stand,
        handle=plans.hold_ball,
        contact_parts=HANDS,
        yaw=20.0,
        pitch=6.0,
        extent=0.80,
        floor="lawn",
        wall="hedge",
        outfit=Outfit(shirt=(0.80, 0.78, 0.74), trousers=(0.20, 0.30, 0.45), eyes=EYES),
        shape=(-0.5, 0.6),
    ),
    "table": Design(
        category="table",
        action="lean on",
        turns=STANDING
        | FLAT
        | {"root": "x30", "both_hip": "x-32 z-4", "both_knee": "x4", "both_ankle": "x-2"}
        | {"spine1": "x4", "spine2": "x4", "neck": "x-14", "head": "x-14"}
        | {"both_shoulder": "z-72 x-38", "both_elbow": "y-10", "both_wrist": "z55"},
        settle=plans.stand,
        handle=plans.lean,
        contact_parts=HANDS,
        yaw=58.0,
        pitch=9.0,
        extent=0.78,
        floor="boards",
        wall="plaster",
        outfit=Outfit(shirt=(0.62, 0.20, 0.18), trousers=(0.30, 0.29, 0.27), eyes=EYES),
        tint=(0.82, 0.77, 0.68),
    ),
    "horse": Design(
        category="rocking horse",
        action="ride",
        turns=RELAXED
        | {"both_hip": "x-60 y20 z24", "both_knee": "x72", "both_ankle": "x-4"}
        | {"spine1": "x8", "spine2": "x6", "neck": "x-6", "both_shoulder": "z-66 x-48", "both_elbow": "y-30"},
        settle=plans.mount,
        handle=plans.grip_bar,
        contact_parts=(*HANDS, "bottom", "left foot", "right foot"),
        near_parts=("left hip", "right hip", *THIGHS),
        yaw=-62.0,
        pitch=7.0,
        extent=0.80,
        floor="boards",
        wall="plaster",
        outfit=Outfit(shirt=(0.22, 0.48, 0.36), trousers=(0.22, 0.26, 0.38), eyes=EYES),
        tint=(0.70, 0.75, 0.82),
        seat=objects.SADDLE_HEIGHT,
    ),
    "bottle": Design(
        category="bottle",
        action="drink from",
        turns=STANDING
        | {"head": "x-10", "neck": "x-6", "jaw": "x6", "right_shoulder": "z50 x-50", "right_elbow": "y118"}
        | {"left_shoulder": "z-70 x4", "left_elbow": "y-18", "left_hip": "x-6 z-5", "left_knee": "x8"},
        settle=plans.stand,
        handle=plans.drink,
        contact_parts=("mouth", "right palm", "right fingers"),
        yaw=52.0,
        pitch=5.0,
        extent=0.84,
        floor="tiles",
        wall="hedge",
        outfit=Outfit(shirt=(0.85, 0.55, 0.20), trousers=(0.28, 0.27, 0.25), eyes=EYES),
        shape=(0.3, 0.5),
    ),
}

"""Six designs: how a person stands, where the object is, and what touches what.

A person first settles (feet on the floor, or seat on the object), then reaches for the object with the hands. Objects
are placed relative to the person's joints, so that people of any size fit. World frame: y up, floor at y = 0, the
person facing +z, its left at +x.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.body.outfit import Outfit
from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import objects
from hoijax.data.synthetic.figure import JOINTS, Figure, Placed, Stance, place, stance_of
from hoijax.data.synthetic.objects import turned
from hoijax.data.synthetic.reach import Align, Goal, Reach, Touch, reach

SIDES = (("left", 1.0), ("right", -1.0))
ARMS = tuple(f"{side}_{joint}" for side, _ in SIDES for joint in ("collar", "shoulder", "elbow", "wrist"))
LEGS = tuple(f"{side}_{joint}" for side, _ in SIDES for joint in ("hip", "knee", "ankle"))
FINGERS = tuple(name for name in JOINTS if name[-1] in "123" and "spine" not in name)
FOUR = ("index", "middle", "ring", "pinky")
UP, DOWN = np.array([0.0, 1, 0]), np.array([0.0, -1, 0])


class Plan(NamedTuple):
    """What inverse kinematics has to solve: the object in its place (None: not there yet), goals, joints that turn."""

    object: ColoredMesh | None
    goals: tuple[Goal, ...]
    free: tuple[str, ...]


Planner = Callable[[Figure, Placed, ColoredMesh | None], Plan]


@dataclass(frozen=True)
class Design:
    """One scene. `settle` and `handle` are its two plans, each made from the figure as it stands by then.

    `contact_parts`: parts that may be labelled as touching. `yaw`, `pitch`: degrees the camera goes round to the
    person's left, and looks down. `extent`: share of the image's height that person and object fill together.
    `seat`: height of what the person sits on, None for people on their feet.
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
    floor: str
    wall: str
    outfit: Outfit
    shape: tuple[float, ...] = ()
    seat: float | None = None


def solved(design: Design, figure: Figure, noise: Float[np.ndarray, "55 3"]) -> tuple[Placed, Stance, ColoredMesh]:
    """The figure in its final stance and the object in its place; `noise` (rotation vectors) unsettles the joints."""
    stance = _start(design, figure, noise)
    thing: ColoredMesh | None = None
    for planner, moves in ((design.settle, True), (design.handle, False)):
        plan = planner(figure, place(figure, stance), thing)
        thing = plan.object
        stance = reach(figure, stance, thing, plan.goals, plan.free, moves)
    assert thing is not None
    return place(figure, stance), stance, thing


def _start(design: Design, figure: Figure, noise: Float[np.ndarray, "55 3"]) -> Stance:
    """The designed pose with noise, its lowest point on the floor or its seat on the object."""
    stance = stance_of(design.turns, np.zeros(3))
    stance = stance._replace(local=stance.local @ Rotation.from_rotvec(noise).as_matrix())
    height = place(figure, stance).verts[:, 1]
    rise = -height.min() if design.seat is None else design.seat - height[figure.patches["seat"]].min()
    return stance._replace(root=np.array([0.0, rise, 0.0]))


def _stand(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Both soles flat on the floor."""
    return Plan(None, _feet(), LEGS)


def _feet() -> tuple[Goal, ...]:
    return tuple(
        Touch(f"{side} {patch}", count, floor=True) for side, _ in SIDES for patch, count in (("heel", 8), ("toes", 30))
    )


def _pads(side: str, joints: tuple[int, ...]) -> tuple[Goal, ...]:
    """The pads of these joints of all fingers on the object; three for fingers stretched, two and three round a bar."""
    return tuple(Touch(f"{side} {finger}{k}", 3, weight=50.0) for finger in (*FOUR, "thumb") for k in joints)


def _hand(
    side: str,
    palm: Float[np.ndarray, "3"],
    facing: Float[np.ndarray, "3"],
    pointing: Float[np.ndarray, "3"],
    count: int,
) -> tuple[Goal, ...]:
    """A palm at a point of the object, facing into it, the fingers pointing somewhere."""
    sign = 1.0 if side == "left" else -1.0
    return (
        Touch(f"{side} palm", count),
        Reach(f"{side} palm", palm, 25.0),
        Align(f"{side}_wrist", (0, -1, 0), facing),
        Align(f"{side}_wrist", (sign, 0, 0), pointing),
    )


def _hold_box(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Overhead, palms against the sides near the lower edge."""
    skull = settled.verts[figure.weights[:, JOINTS.index("head")] > 0.9]
    width, height, _ = objects.BOX
    middle = np.array([skull[:, 0].mean(), skull[:, 1].max() + 0.06 + height / 2, skull[:, 2].mean()])
    box = turned(objects.carton(), Rotation.identity(), middle)
    goals: list[Goal] = []
    for side, sign in SIDES:
        palm = middle + [sign * width / 2, -0.03, 0.0]
        goals += [*_hand(side, palm, np.array([-sign, 0.0, 0]), _unit(0, 1, -0.1), 20), *_pads(side, (3,))]
    return Plan(box, tuple(goals), (*ARMS, *FINGERS))


def _sit(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """On the chair, feet on the floor."""
    back = start.verts[figure.patches["back"], 2].min()
    chair = turned(objects.chair(), Rotation.identity(), np.array([0.0, 0.0, back - 0.032]))
    return Plan(chair, (Touch("seat", 30), *_feet()), LEGS)


def _rest_hands(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Palms on the thighs."""
    goals: list[Goal] = []
    for side, sign in SIDES:
        hip, knee = (settled.positions[JOINTS.index(f"{side}_{joint}")] for joint in ("hip", "knee"))
        axis = _unit(*(knee - hip))
        skin = settled.verts[figure.weights[:, JOINTS.index(f"{side}_hip")] > 0.5]
        there = np.abs((skin - hip) @ axis - 0.55 * np.linalg.norm(knee - hip)) < 0.04
        top = skin[there][skin[there][:, 1].argmax()]
        goals += [Reach(f"{side} palm", top + [0.01 * sign, 0.004, 0.0], 60.0)]
        goals += [
            Align(f"{side}_wrist", (0, -1, 0), _unit(0.15 * sign, -1, -0.1)),
            Align(f"{side}_wrist", (sign, 0, 0), axis),
        ]
    return Plan(thing, tuple(goals), ARMS)


def _hold_ball(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """In front of the belly with both hands."""
    middle = settled.positions[JOINTS.index("spine2")] + [0.0, 0.05, 0.36]
    ball = turned(objects.beach_ball(), Rotation.from_euler("zx", (25, 35), degrees=True), middle)
    goals: list[Goal] = []
    for side, sign in SIDES:
        out = _unit(sign, -0.3, -0.15)
        goals += _hand(side, middle + (objects.BALL_RADIUS + 0.006) * out, -out, _unit(0, 0.3, 1), 6)
        goals += _pads(side, (3,))
    return Plan(ball, tuple(goals), (*ARMS, *FINGERS))


def _lean(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Forward onto both hands, the thighs just free of the edge."""
    thigh = np.concatenate([settled.verts[figure.patches[f"{side} thigh"]] for side, _ in SIDES])
    edge = thigh[thigh[:, 1] < objects.TABLE[1] + 0.05, 2].max() + 0.03
    _, height, depth = objects.TABLE
    table = turned(objects.table(), Rotation.identity(), np.array([0.05, 0.0, edge + depth / 2]))
    goals: list[Goal] = []
    for side, sign in SIDES:
        palm = np.array([sign * 0.27, height + 0.004, edge + 0.12])
        goals += [*_hand(side, palm, DOWN, _unit(0.35 * sign, 0, 1), 25), *_pads(side, (3,))]
    return Plan(table, tuple(goals), (*ARMS, *FINGERS))


def _mount(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Astride in the saddle, feet on the pegs."""
    shift = np.array([0.0, 0.0, start.positions[0, 2] + 0.02])
    horse = turned(objects.rocking_horse(), Rotation.identity(), shift)
    goals: list[Goal] = [Touch("seat", 16)]
    for side, sign in SIDES:
        peg = shift + [sign * 0.205, objects.PEG[0] + 0.022, objects.PEG[1] + 0.01]
        goals += [Reach(f"{side} toes", peg, 25.0), Touch(f"{side} toes", 4)]
        goals.append(Align(f"{side}_ankle", (0, 0, 1), _unit(0.2 * sign, 0, 1)))
    return Plan(horse, tuple(goals), LEGS)


def _grip_bar(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Hands round the handle bar."""
    assert thing is not None
    rockers = (thing.verts.min(0) + thing.verts.max(0)) / 2  # they reach equally far to both ends
    bar = np.array([rockers[0], objects.BAR[0], rockers[2] + objects.BAR[1]])
    goals: list[Goal] = []
    for side, sign in SIDES:
        palm = bar + [sign * 0.15, 0.020, -0.012]
        goals += [*_hand(side, palm, _unit(0, -0.8, 0.6), _unit(0, 0.5, 0.86), 5), *_pads(side, (2, 3))]
    return Plan(thing, tuple(goals), ("spine2", *ARMS, *FINGERS))


def _drink(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The bottle's mouth at the lips, the right hand round its lower half, the thumb towards the mouth."""
    joint = JOINTS.index("head")
    head, origin = settled.frames[joint], settled.positions[joint]
    lips = (settled.verts[figure.patches["lips"]] - origin) @ head
    mouth = origin + head @ [0.0, lips[:, 1].mean(), lips[:, 2].max() - 0.002]
    neck = head @ _unit(-0.12, 0.25, 1.0)  # from the lips to the bottom of the bottle
    rotation = Rotation.align_vectors([-neck, head @ [-1.0, 0, 0]], [UP, [1.0, 0, 0]], weights=[1e6, 1])[0]
    thing = turned(objects.bottle(), rotation, mouth + objects.BOTTLE_HEIGHT * neck)
    out = head @ _unit(-1.0, -0.25, -0.1)
    out = _unit(*(out - neck * (out @ neck)))
    grip = mouth + (objects.BOTTLE_HEIGHT - 0.08) * neck + 0.038 * out
    goals = (*_hand("right", grip, -out, np.cross(out, neck), 6), *_pads("right", (2, 3)))
    free = tuple(name for name in (*ARMS, *FINGERS) if name.startswith("right"))
    return Plan(thing, goals, free)


def _unit(x: float, y: float, z: float) -> Float[np.ndarray, "3"]:
    vector = np.array([x, y, z], np.float64)
    return vector / np.linalg.norm(vector)


HANDS = tuple(f"{side} {part}" for side, _ in SIDES for part in ("palm", "fingers"))
THIGHS = ("left upper leg", "right upper leg")
EYES = (0.42, 0.34, 0.28)  # iris and white together, as small as they are in these pictures
RELAXED = {
    "both_index1": "z-14", "both_index2": "z-18", "both_index3": "z-12",
    "both_middle1": "z-18", "both_middle2": "z-22", "both_middle3": "z-14",
    "both_ring1": "z-22", "both_ring2": "z-24", "both_ring3": "z-16",
    "both_pinky1": "z-24", "both_pinky2": "z-26", "both_pinky3": "z-18", "both_thumb2": "z-8",
}  # fmt: skip
STANDING = RELAXED | {"both_hip": "z-4", "both_ankle": "z2"}

DESIGNS: dict[str, Design] = {
    "box": Design(
        "box", "carry",
        STANDING | {"both_shoulder": "x-70 z35 y-20", "both_elbow": "x-20 y-50", "both_wrist": "x-50", "left_hip": "x-16 z-3",
                    "left_knee": "x10", "right_hip": "x12 z3", "right_knee": "x12"},
        _stand, _hold_box, HANDS, yaw=32.0, pitch=6.0, extent=0.84, floor="tiles", wall="bricks",
        outfit=Outfit(eyes=EYES), shape=(0.6, -0.4),
    ),
    "chair": Design(
        "chair", "sit on",
        RELAXED | {"both_hip": "x-86 z-6", "both_knee": "x84", "both_ankle": "x4", "both_shoulder": "z-70 x-14",
                   "both_elbow": "y-70", "head": "y8 x6"},
        _sit, _rest_hands, ("bottom", "left hip", "right hip", "back", *THIGHS), yaw=-50.0, pitch=9.0, extent=0.76, floor="boards",
        wall="plaster", outfit=Outfit(shirt=(0.72, 0.66, 0.52), trousers=(0.18, 0.25, 0.40), eyes=EYES), seat=objects.SEAT_HEIGHT,
    ),
    "ball": Design(
        "ball", "hold",
        STANDING | {"both_shoulder": "z-62 x-22", "both_elbow": "y-80", "head": "x14", "left_hip": "z-5",
                    "right_hip": "x-6 z5", "right_knee": "x9"},
        _stand, _hold_ball, HANDS, yaw=20.0, pitch=6.0, extent=0.80, floor="lawn", wall="hedge",
        outfit=Outfit(shirt=(0.80, 0.78, 0.74), trousers=(0.20, 0.30, 0.45), eyes=EYES), shape=(-0.5, 0.6),
    ),
    "table": Design(
        "table", "lean on",
        STANDING | {"root": "x30", "both_hip": "x-32 z-4", "both_knee": "x4", "both_ankle": "x-2", "spine1": "x4", "spine2": "x4",
                    "neck": "x-14", "head": "x-14", "both_shoulder": "z-72 x-38", "both_elbow": "y-10", "both_wrist": "z55"},
        _stand, _lean, HANDS, yaw=58.0, pitch=9.0, extent=0.78, floor="boards", wall="plaster",
        outfit=Outfit(shirt=(0.62, 0.20, 0.18), trousers=(0.30, 0.29, 0.27), eyes=EYES),
    ),
    "horse": Design(
        "rocking horse", "ride",
        RELAXED | {"both_hip": "x-60 y20 z24", "both_knee": "x72", "both_ankle": "x-4", "spine1": "x8", "spine2": "x6",
                   "neck": "x-6", "both_shoulder": "z-66 x-48", "both_elbow": "y-30"},
        _mount, _grip_bar, (*HANDS, "bottom", "left hip", "right hip", *THIGHS, "left foot", "right foot"), yaw=-62.0, pitch=7.0, extent=0.80,
        floor="boards", wall="plaster", outfit=Outfit(shirt=(0.22, 0.48, 0.36), trousers=(0.22, 0.26, 0.38), eyes=EYES),
        seat=objects.SADDLE_HEIGHT,
    ),
    "bottle": Design(
        "bottle", "drink from",
        STANDING | {"head": "x-10", "neck": "x-6", "jaw": "x6", "right_shoulder": "z50 x-50", "right_elbow": "y118",
                    "left_shoulder": "z-70 x4", "left_elbow": "y-18", "left_hip": "x-6 z-5", "left_knee": "x8"},
        _stand, _drink, ("mouth", "right palm", "right fingers"), yaw=52.0, pitch=5.0, extent=0.84, floor="tiles", wall="hedge",
        outfit=Outfit(shirt=(0.85, 0.55, 0.20), trousers=(0.28, 0.27, 0.25), eyes=EYES), shape=(0.3, 0.5),
    ),
}  # fmt: skip

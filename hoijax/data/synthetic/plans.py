"""How people take hold of objects: for each scene, where the object is and what touches what.

A plan is made for a figure as it stands by then. Objects are placed relative to the person's joints, so that people of
any size fit. World frame: y up, floor at y = 0, the person facing +z, its left at +x.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import objects
from hoijax.data.synthetic.figure import JOINTS, Figure, Placed
from hoijax.data.synthetic.goals import ARMS, DOWN, FINGERS, LEGS, SIDES, UP, Plan, feet, hand, pads, unit
from hoijax.data.synthetic.reach import Align, Goal, Reach, Touch
from hoijax.data.synthetic.solids import turned


def stand(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Both soles flat on the floor."""
    return Plan(None, feet(), LEGS)


def hold_box(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Overhead, palms against the sides near the lower edge."""
    skull = settled.verts[figure.weights[:, JOINTS.index("head")] > 0.9]
    width, height, _ = objects.BOX
    middle = np.array([skull[:, 0].mean(), skull[:, 1].max() + 0.06 + height / 2, skull[:, 2].mean()])
    box = turned(objects.carton(), Rotation.identity(), middle)
    goals: list[Goal] = []
    for side, sign in SIDES:
        palm = middle + [sign * width / 2, -0.03, 0.0]
        goals += [*hand(side, palm, np.array([-sign, 0.0, 0]), unit(0, 1, -0.1), 20), *pads(side, (3,))]
    return Plan(box, tuple(goals), (*ARMS, *FINGERS))


def sit(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """On the chair, feet on the floor."""
    back = start.verts[figure.patches["back"], 2].min()
    chair = turned(objects.chair(), Rotation.identity(), np.array([0.0, 0.0, back - 0.032]))
    return Plan(chair, (Touch("seat", 30), Touch("back", 3), *feet()), LEGS)


def rest_hands(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Palms on the thighs."""
    goals: list[Goal] = []
    for side, sign in SIDES:
        hip, knee = (settled.positions[JOINTS.index(f"{side}_{joint}")] for joint in ("hip", "knee"))
        axis = unit(*(knee - hip))
        skin = settled.verts[figure.weights[:, JOINTS.index(f"{side}_hip")] > 0.5]
        there = np.abs((skin - hip) @ axis - 0.55 * np.linalg.norm(knee - hip)) < 0.04
        top = skin[there][skin[there][:, 1].argmax()]
        goals += [Reach(f"{side} palm", top + [0.01 * sign, 0.004, 0.0], 60.0)]
        goals += [
            Align(f"{side}_wrist", (0, -1, 0), unit(0.15 * sign, -1, -0.1)),
            Align(f"{side}_wrist", (sign, 0, 0), axis),
        ]
    return Plan(thing, tuple(goals), ARMS)


def hold_ball(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """In front of the belly with both hands."""
    middle = settled.positions[JOINTS.index("spine2")] + [0.0, 0.05, 0.36]
    ball = turned(objects.beach_ball(), Rotation.from_euler("zx", (25, 35), degrees=True), middle)
    goals: list[Goal] = []
    for side, sign in SIDES:
        out = unit(sign, -0.3, -0.15)
        goals += hand(side, middle + (objects.BALL_RADIUS + 0.006) * out, -out, unit(0, 0.3, 1), 6)
        goals += pads(side, (3,))
    return Plan(ball, tuple(goals), (*ARMS, *FINGERS))


def lean(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Forward onto both hands, the thighs just free of the edge."""
    thigh = np.concatenate([settled.verts[figure.patches[f"{side} thigh"]] for side, _ in SIDES])
    edge = thigh[thigh[:, 1] < objects.TABLE[1] + 0.05, 2].max() + 0.03
    _, height, depth = objects.TABLE
    table = turned(objects.table(), Rotation.identity(), np.array([0.05, 0.0, edge + depth / 2]))
    goals: list[Goal] = []
    for side, sign in SIDES:
        palm = np.array([sign * 0.27, height + 0.004, edge + 0.12])
        goals += [*hand(side, palm, DOWN, unit(0.35 * sign, 0, 1), 25), *pads(side, (3,))]
    return Plan(table, tuple(goals), ("spine1", "spine2", "spine3", *ARMS, *FINGERS))


def mount(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Astride in the saddle, feet on the pegs."""
    shift = np.array([0.0, 0.0, start.positions[0, 2] + 0.02])
    horse = turned(objects.rocking_horse(), Rotation.identity(), shift)
    goals: list[Goal] = [Touch("seat", 16)]
    for side, sign in SIDES:
        peg = shift + [sign * 0.205, objects.PEG[0] + 0.022, objects.PEG[1] + 0.01]
        goals += [Reach(f"{side} toes", peg, 25.0), Touch(f"{side} toes", 4)]
        goals.append(Align(f"{side}_ankle", (0, 0, 1), unit(0.2 * sign, 0, 1)))
    return Plan(horse, tuple(goals), LEGS)


def grip_bar(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Hands round the handle bar."""
    assert thing is not None
    rockers = (thing.verts.min(0) + thing.verts.max(0)) / 2  # they reach equally far to both ends
    bar = np.array([rockers[0], objects.BAR[0], rockers[2] + objects.BAR[1]])
    goals: list[Goal] = []
    for side, sign in SIDES:
        palm = bar + [sign * 0.17, 0.020, -0.012]
        goals += [*hand(side, palm, unit(0, -0.8, 0.6), unit(0, 0.5, 0.86), 5), *pads(side, (2, 3))]
    return Plan(thing, tuple(goals), ("spine2", *ARMS, *FINGERS))


def drink(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The bottle's mouth at the lips, the right hand round its lower half, the thumb towards the mouth."""
    joint = JOINTS.index("head")
    head, origin = settled.frames[joint], settled.positions[joint]
    lips = (settled.verts[figure.patches["lips"]] - origin) @ head
    mouth = origin + head @ [0.0, lips[:, 1].mean(), lips[:, 2].max() - 0.002]
    neck = head @ unit(-0.12, 0.25, 1.0)  # from the lips to the bottom of the bottle
    rotation = Rotation.align_vectors([-neck, head @ [-1.0, 0, 0]], [UP, [1.0, 0, 0]], weights=[1e6, 1])[0]
    thing = turned(objects.bottle(), rotation, mouth + objects.BOTTLE_HEIGHT * neck)
    out = head @ unit(-1.0, -0.25, -0.1)
    out = unit(*(out - neck * (out @ neck)))
    grip = mouth + 0.67 * objects.BOTTLE_HEIGHT * neck + (objects.BOTTLE_RADIUS + 0.003) * out
    goals = (*hand("right", grip, -out, np.cross(out, neck), 6), *pads("right", (2, 3)))
    free = tuple(name for name in (*ARMS, *FINGERS) if name.startswith("right"))
    return Plan(thing, goals, free)

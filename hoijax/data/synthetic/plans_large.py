"""Plans for what people sit and lie on, work at, wear on the back, and boards as large as themselves."""

import numpy as np
from scipy.spatial import ConvexHull

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import objects_large, objects_sport
from hoijax.data.synthetic.figure import Figure, Placed
from hoijax.data.synthetic.goals import ARMS, DOWN, FINGERS, LEGS, SIDES, UP, Plan, feet, unit
from hoijax.data.synthetic.grips import arm, fitted, flat, joint, palm
from hoijax.data.synthetic.plans import rest_hands
from hoijax.data.synthetic.reach import Align, Goal, Touch
from hoijax.data.synthetic.solids import Point

FORWARD, LEFT = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])


def sit_on_bench(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Leant back, nearer to one end, feet on the floor."""
    back = start.verts[figure.patches["back"], 2].min()
    bench = fitted(
        sized(objects_large.bench(), figure, start, objects_large.BENCH_HEIGHT),
        UP,
        FORWARD,
        np.zeros(3),
        np.array([0.24, 0, back - 0.012]),
    )
    return Plan(bench, (Touch("seat", 30), Touch("back", 3), *feet()), LEGS)


def sized(mesh: ColoredMesh, figure: Figure, start: Placed, height: float) -> ColoredMesh:
    """A seat of that height in the size on which this person, who stands on the floor as if sitting, sits."""
    return mesh._replace(verts=start.verts[figure.patches["seat"], 1].min() / height * mesh.verts)


def sit_on_couch(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """In the right corner, leant back, feet on the floor."""
    back = start.verts[figure.patches["back"], 2].min()
    mesh = sized(objects_large.couch(), figure, start, objects_large.COUCH_HEIGHT)
    scale = np.ptp(mesh.verts[:, 0]) / objects_large.COUCH_WIDTH
    corner = scale * (objects_large.COUCH_WIDTH / 2 - objects_large.ARM_WIDTH - 0.30)
    couch = fitted(mesh, UP, FORWARD, np.zeros(3), np.array([corner, 0, back + 0.005]))
    return Plan(couch, (Touch("seat", 30), Touch("back", 10), *feet()), LEGS)


def hand_on_arm_rest(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The right palm on the arm rest, the left one on the thigh."""
    assert thing is not None
    scale = np.ptp(thing.verts[:, 0]) / objects_large.COUCH_WIDTH
    rest = thing.verts[:, 0].min() + scale * objects_large.ARM_WIDTH / 2
    point = np.array([rest, scale * objects_large.ARM_HEIGHT, thing.verts[:, 2].max() - 0.16])
    thigh = tuple(goal for goal in rest_hands(figure, settled, thing).goals if _of(goal, "left"))
    return Plan(thing, (*flat("right", point, UP, unit(-0.1, 0, 1), 10), *thigh), (*ARMS, *FINGERS))


def _of(goal: Goal, side: str) -> bool:
    return (goal.joint if isinstance(goal, Align) else goal.patch).startswith(side)


def sit_on_ball(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """On top of a gym ball, the legs apart, feet on the floor."""
    at = start.verts[figure.patches["seat"]].mean(0)
    mesh = sized(objects_sport.gym_ball(), figure, start, 2 * objects_sport.GYM_BALL_RADIUS)
    middle = np.array([at[0], mesh.verts[:, 1].max(), at[2] + 0.02])
    ball = fitted(mesh, unit(0.2, 1, 0.3), FORWARD, np.zeros(3), middle)
    return Plan(ball, (Touch("seat", 40), *feet()), LEGS)


def sit_on_floor(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """The seat and the heels on the floor."""
    goals = (Touch("seat", 20, floor=True), *(Touch(f"{side} heel", 6, floor=True) for side, _ in SIDES))
    return Plan(None, goals, LEGS)


def type_on_laptop(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The laptop on the thighs, both palms on its near edge, the finger tips on the keys."""
    hip, knee = (0.5 * (joint(settled, f"left_{name}") + joint(settled, f"right_{name}")) for name in ("hip", "knee"))
    width, depth, thick = objects_large.LAPTOP
    along = unit(*(knee - hip))
    up = unit(*np.cross(along, LEFT))
    middle = hip + 0.72 * (knee - hip)
    legs = settled.verts[figure.weights[:, [1, 2, 4, 5]].sum(1) > 0.5] - middle
    under = (np.abs(legs @ along) < depth / 2 + 0.01) & (np.abs(legs[:, 0]) < width / 2 + 0.01)
    bottom = middle + ((legs[under] @ up).max() + 0.001) * up
    mesh = fitted(objects_large.laptop(), up, -along, np.zeros(3), bottom)
    goals: list[Goal] = []
    for side, sign in SIDES:
        point = bottom + thick * up + 0.095 * sign * LEFT - 0.105 * along
        goals += flat(side, point, up, along - 0.15 * sign * LEFT, 5)
    return Plan(mesh, tuple(goals), ("spine1", "spine2", "spine3", *ARMS, *FINGERS))


def lie_on_bed(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """On the back, the head at the head of the bed; the left sole on the mattress, the right leg stretched."""
    head = start.verts[:, 2].min() - 0.12
    middle = np.array([joint(start, "root")[0] + 0.08, 0, head + objects_large.BED[2] / 2])
    bed = fitted(objects_large.bed(), UP, FORWARD, np.zeros(3), middle)
    goals = (
        Touch("seat", 40),
        Touch("back", 60),
        Touch("left heel", 8),
        Touch("left toes", 10),
        Touch("right heel", 6),
    )
    return Plan(bed, goals, (*LEGS, "spine1", "spine2", "spine3"))


def palms_down(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Both arms beside the body, the palms on what the person lies on."""
    goals: list[Goal] = []
    for side, _ in SIDES:
        goals += [Touch(f"{side} palm", 12), Align(f"{side}_wrist", (0, -1, 0), DOWN)]
        goals += [Touch(f"{side} {finger}3", 3, weight=50.0) for finger in ("index", "middle", "ring", "pinky")]
    return Plan(thing, tuple(goals), ("neck", "head", *ARMS, *FINGERS))


def lie_on_cushion(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """On the back on an air cushion, the head on its pillow."""
    middle = np.array([joint(start, "root")[0], 0, start.verts[:, 2].min() + objects_large.CUSHION[2] / 2 + 0.02])
    cushion = fitted(objects_large.air_cushion(), UP, FORWARD, np.zeros(3), middle)
    goals = (Touch("seat", 40), Touch("back", 60), Touch("left heel", 6), Touch("right heel", 6))
    return Plan(cushion, goals, (*LEGS, "spine1", "spine2", "spine3", "neck", "head"))


def stand_behind_table(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Behind a round table, the right palm on it as if wiping."""
    radius, height = objects_large.ROUND_TABLE
    trunk = settled.verts[figure.weights[:, [0, 1, 2, 3, 6]].sum(1) > 0.5]
    edge = trunk[np.abs(trunk[:, 1] - height) < 0.12, 2].max() + 0.025
    middle = np.array([joint(settled, "root")[0], 0, edge + radius])
    table = fitted(objects_large.round_table(), UP, unit(0.4, 0, 1), np.zeros(3), middle)
    point = np.array([middle[0] - 0.17, height, edge + 0.26])
    return Plan(table, flat("right", point, UP, unit(0.25, 0, 1), 20), ("spine1", "spine2", "spine3", *arm("right")))


def carry_surfboard(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """On edge under the right arm, the hand at its lower edge."""
    at, _, _ = palm(figure, settled, "right")
    _, width, thick = objects_sport.SURFBOARD
    top = joint(settled, "right_shoulder")[1] - 0.19
    arms = figure.weights[:, 16:22].sum(1) + figure.weights[:, 25:].sum(1)
    body = settled.verts[(arms < 0.3) & (np.abs(settled.verts[:, 1] - top + width / 2) < width / 2)]
    middle = np.array([body[:, 0].min() - thick / 2 - 0.03, top - width / 2, at[2] + 0.12])
    board = fitted(objects_sport.surfboard(), unit(0.06, 0.05, 1), unit(1, -0.25, 0), np.zeros(3), middle)
    out = -unit(1, -0.25, 0)
    point = np.array([middle[0] - 0.05 - thick / 2, top - width + 0.085, at[2]])
    return Plan(board, flat("right", point, out, unit(0.1, -1, 0.15), 8, 0.10), arm("right"))


def hold_surfboard(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Upright on its tail at arm's length to the right, the palm behind it."""
    at, _, _ = palm(figure, settled, "right")
    length, _, thick = objects_sport.SURFBOARD
    middle = np.array([at[0] - 0.10, length / 2, at[2] + 0.02 + thick / 2])
    board = fitted(objects_sport.surfboard(), UP, FORWARD, np.zeros(3), middle)
    point = np.array([at[0], at[1], at[2] + 0.02])
    return Plan(board, flat("right", point, -FORWARD, unit(-1, 0.15, 0), 10), arm("right"))


def wear_backpack(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The pack against the back, its straps over the shoulders and round the sides, as tight as a thread would lie."""
    trunk = settled.verts[figure.weights[:, [0, 3, 6, 9, 12, 13, 14]].sum(1) > 0.75]
    top = joint(settled, "left_shoulder")[1]
    at = np.array([joint(settled, "spine3")[0], top - 0.20, 0.0])
    width, height, _ = objects_large.PACK
    behind = trunk[(np.abs(trunk[:, 0] - at[0]) < width / 2) & (np.abs(trunk[:, 1] - at[1]) < height / 2)]
    at[2] = behind[:, 2].min() - 0.002
    straps = [_strap(trunk, at, sign, top - 0.30) for _, sign in SIDES]
    pack = objects_large.backpack(straps, objects_large.PACK)
    return Plan(fitted(pack, UP, FORWARD, np.zeros(3), at), (), ARMS)


def _strap(trunk: np.ndarray, at: np.ndarray, sign: float, low: float) -> list[Point]:
    """From the pack over the shoulder down to the height `low`, then round the side and back; about the pack's middle."""
    x = at[0] + 0.115 * sign
    over = _girth(trunk[np.abs(trunk[:, 0] - x) < 0.030][:, [2, 1]], np.radians(np.linspace(135, -30, 12)))
    over = over[over[:, 1] > low]
    level = _girth(trunk[np.abs(trunk[:, 1] - low) < 0.035][:, [0, 2]] * [sign, 1], np.radians(np.linspace(60, -65, 9)))
    down = [np.array([x, y, z]) for z, y in over]
    side = [np.array([sign * a, low - 0.02 * k, z]) for k, (a, z) in enumerate(level)]
    first = np.array([x, down[0][1] - 0.03, at[2] - 0.03])
    last = np.array([at[0] + 0.13 * sign, side[-1][1] - 0.02, at[2] - 0.03])
    return [(float(p[0]), float(p[1]), float(p[2])) for p in (q - at for q in [first, *down, *side, last])]


def _girth(points: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Points on the convex hull of plane points, 8 mm outside, in these directions from the middle."""
    hull = ConvexHull(points)
    middle = points.mean(0)
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    facing = directions @ hull.equations[:, :2].T
    reach = -(hull.equations[:, :2] @ middle + hull.equations[:, 2])
    radius = np.where(facing > 1e-9, reach / np.maximum(facing, 1e-9), np.inf).min(1)
    return middle + (radius + 0.008)[:, None] * directions

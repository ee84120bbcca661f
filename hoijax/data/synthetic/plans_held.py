"""Plans for things that are held in front, beside and over the body, by one hand or by two."""

import numpy as np

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import objects_held, objects_sport
from hoijax.data.synthetic.figure import JOINTS, Figure, Placed
from hoijax.data.synthetic.goals import SIDES, UP, Plan, Planner, unit
from hoijax.data.synthetic.grips import across, arm, fist, fitted, flat, joint, palm
from hoijax.data.synthetic.reach import Goal, Touch

FORWARD = np.array([0.0, 0.0, 1.0])


def hold_umbrella(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """In the right fist, leant over the head."""
    at, facing, _ = palm(figure, settled, "right")
    axis = unit(0.16, 1, -0.16)
    middle = at + (objects_held.UMBRELLA_RADIUS + 0.003) * facing
    mesh = fitted(objects_held.umbrella(), axis, FORWARD, np.array([0, objects_held.UMBRELLA_GRIP, 0]), middle)
    return Plan(mesh, fist("right", middle, -facing, axis, objects_held.UMBRELLA_RADIUS), arm("right"))


def swing_racket(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """In the right fist, along the thumb's side of the hand, the strings facing forward."""
    at, facing, thumb = palm(figure, settled, "right")
    middle = at + (objects_sport.RACKET_RADIUS + 0.003) * facing
    axis = unit(*(thumb + 0.35 * across(np.array([-1.0, 0.2, 0]), thumb)))
    mesh = fitted(objects_sport.tennis_racket(), axis, facing, np.array([0, objects_sport.RACKET_GRIP, 0]), middle)
    return Plan(mesh, fist("right", middle, -facing, axis, objects_sport.RACKET_RADIUS), arm("right"))


def swing_bat(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Both fists before the right shoulder, the bat up and back over it."""
    axis = unit(-0.30, 0.88, -0.42)
    lower = 0.5 * (palm(figure, settled, "left")[0] + palm(figure, settled, "right")[0])
    mesh = fitted(objects_sport.baseball_bat(), axis, FORWARD, np.array([0, objects_sport.BAT_GRIP, 0]), lower)
    goals: list[Goal] = []
    for side, along, out in (("left", -0.045, unit(0.6, -0.1, 0.7)), ("right", 0.055, unit(-0.8, -0.1, 0.5))):
        goals += fist(side, lower + along * axis, out, axis, objects_sport.BAT_RADIUS)
    return Plan(mesh, tuple(goals), ("spine2", "spine3", *arm("left", "right")))


def read_book(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Open before the chest, a palm behind each half."""
    at = 0.5 * (palm(figure, settled, "left")[0] + palm(figure, settled, "right")[0]) + [0, -0.07, 0.02]
    up, front = unit(0, 0.80, 0.60), unit(0, 0.60, -0.80)  # leant back, the pages towards the face
    mesh = fitted(objects_held.book(), up, front, np.array([0.0, 0.0, 0.0]), at)
    width, _, _ = objects_held.BOOK
    tilt = np.radians(objects_held.BOOK_OPEN)
    goals: list[Goal] = []
    for side, sign in SIDES:
        along = np.cos(tilt) * np.array([sign, 0, 0]) + np.sin(tilt) * front
        out = np.sin(tilt) * np.array([sign, 0, 0]) - np.cos(tilt) * front
        goals += flat(side, at + 0.60 * width * along + 0.07 * up, out, 0.75 * up - 0.65 * along)
    return Plan(mesh, tuple(goals), arm("left", "right"))


def hold_bowl(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Level before the belly, the palms under its sides."""
    mesh, middle = _before(figure, settled, objects_held.bowl(), objects_held.BOWL_HEIGHT / 2)
    r, h = objects_held.BOWL_RADIUS, objects_held.BOWL_HEIGHT
    goals: list[Goal] = []
    for side, sign in SIDES:
        angle = np.radians(62)
        point = middle + [sign * r * np.sin(angle), h * (0.5 - np.cos(angle)), 0.01]
        goals += flat(side, point, unit(sign * np.sin(angle) / r, -np.cos(angle) / h, 0), unit(0, 0.05, 1), 8)
    return Plan(mesh, tuple(goals), arm("left", "right"))


def hold_pot(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The pot before the belly between both palms."""
    height = 0.40 * objects_held.POT_HEIGHT
    mesh, middle = _before(figure, settled, objects_held.potted_plant(), height)
    goals: list[Goal] = []
    for side, sign in SIDES:
        out = unit(sign, -0.2, -0.1)
        goals += flat(side, middle + 0.82 * objects_held.POT_RADIUS * out, out, unit(-0.1 * sign, 0.1, 1), 8)
    return Plan(mesh, tuple(goals), arm("left", "right"))


def _before(figure: Figure, settled: Placed, mesh: ColoredMesh, height: float) -> tuple[ColoredMesh, np.ndarray]:
    """The mesh upright, `height` above its bottom at the middle between the palms; that place. Free of the belly."""
    middle = 0.5 * (palm(figure, settled, "left")[0] + palm(figure, settled, "right")[0])
    middle[0] = joint(settled, "spine2")[0]
    trunk = settled.verts[figure.weights[:, [0, 3, 6, 9]].sum(1) > 0.8]
    deep = np.abs(trunk[:, 1] - middle[1]) < 0.15
    middle[2] = max(middle[2], trunk[deep, 2].max() + np.ptp(mesh.verts[:, 2]) / 2 + 0.01)
    return fitted(mesh, UP, FORWARD, np.array([0, height, 0]), middle), middle


def raise_ball(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Over the head between both palms, as for a throw-in."""
    skull = settled.verts[figure.weights[:, JOINTS.index("head")] > 0.9]
    r = objects_sport.FOOTBALL_RADIUS
    middle = np.array([skull[:, 0].mean(), skull[:, 1].max() + 0.07 + r, skull[:, 2].mean() + 0.05])
    mesh = fitted(objects_sport.football(), unit(0.3, 1, 0.2), FORWARD, np.zeros(3), middle)
    goals: list[Goal] = []
    for side, sign in SIDES:
        out = unit(sign, -0.25, -0.35)
        goals += flat(side, middle + r * out, out, unit(0, 1, 0.25), 6)
    return Plan(mesh, tuple(goals), arm("left", "right"))


def lift_barbell(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Over the head in both fists, the palms forward."""
    skull = settled.verts[figure.weights[:, JOINTS.index("head")] > 0.9]
    middle = np.array([skull[:, 0].mean(), skull[:, 1].max() + 0.14, skull[:, 2].mean() + 0.02])
    mesh = fitted(objects_sport.barbell(), UP, FORWARD, np.zeros(3), middle)
    goals: list[Goal] = []
    for side, sign in SIDES:
        place = middle + [sign * 0.36, 0, 0]
        goals += fist(side, place, unit(0, -0.45, -0.9), np.array([-sign, 0.0, 0]), objects_sport.BAR_RADIUS)
    return Plan(mesh, tuple(goals), arm("left", "right"))


def hug_bear(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The bear's back on the chest, both arms round it."""
    chest = settled.verts[figure.weights[:, [3, 6, 9]].sum(1) > 0.9]
    low = joint(settled, "spine2")[1] - 0.10
    front = chest[(chest[:, 1] > low) & (chest[:, 1] < low + 0.40), 2].max()
    bear = objects_held.teddy_bear()
    at = np.array([joint(settled, "spine2")[0], low, front - bear.verts[:, 2].min() + 0.002])
    goals: list[Goal] = []
    for side, sign in SIDES:
        point = at + [sign * 0.035, 0.21 - 0.055 * sign, 0.10]
        goals += flat(side, point, unit(0.5 * sign, 0, 1), unit(-1.0 * sign, 0.05, 0.15), 6)
    return Plan(fitted(bear, UP, FORWARD, np.zeros(3), at), tuple(goals), arm("left", "right"))


def drink_from_cup(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The rim at the lips, the right hand round the mug, its ear away from the palm."""
    head, origin = settled.frames[JOINTS.index("head")], joint(settled, "head")
    lips = (settled.verts[figure.patches["lips"]] - origin) @ head
    mouth = origin + head @ [0.0, lips[:, 1].mean() - 0.004, lips[:, 2].max() + 0.0005]
    axis = head @ unit(0, 0.86, -0.5)
    toward = across(head @ [0.0, 0, -1], axis)  # from the mug's axis to the mouth
    h, r = objects_held.CUP_HEIGHT, objects_held.CUP_RADIUS
    out = unit(*(across(head @ [-1.0, 0, 0], axis) - 0.25 * toward))
    mesh = fitted(objects_held.cup(), axis, -out - 0.6 * toward, np.array([0, h, 0]), mouth - r * toward)
    middle = mouth - r * toward - 0.52 * h * axis
    goals = (*fist("right", middle, out, axis, r), Touch("lips", 3))
    return Plan(mesh, goals, ("neck", "head", *arm("right")))


def carried(side: str, mesh_of: str) -> Planner:
    """Hanging from the fist of one side: a suitcase or a basket, its long side along the body."""

    def plan(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
        sign = 1.0 if side == "left" else -1.0
        mesh, height, radius = (
            (objects_held.suitcase(), objects_held.CASE_GRIP, objects_held.GRIP_RADIUS)
            if mesh_of == "suitcase"
            else (objects_held.basket(), objects_held.BASKET_GRIP, objects_held.BASKET_RADIUS)
        )
        at, facing, thumb = palm(figure, settled, side)
        thumb = across(thumb, UP)
        out = unit(*(across(-facing, thumb) + 0.5 * UP))
        middle = at - (radius + 0.003) * out
        middle[1] = max(middle[1], height + 0.03)  # clear of the floor
        placed = fitted(mesh, UP, np.cross(thumb, UP) * sign, np.array([0, height, 0]), middle)
        return Plan(placed, fist(side, middle, out, thumb, radius), arm(side))

    return plan


def drag_suitcase(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Behind the right side, leant on its wheels, which stay on the floor."""
    at, facing, _ = palm(figure, settled, "right")
    middle = at + (objects_held.GRIP_RADIUS + 0.003) * facing
    reach = float(middle[1] / np.cos(np.radians(38)))  # the rods come out until the case leans well
    case = objects_held.suitcase(reach)
    grip = np.array([0, reach, -0.05])
    low, high = np.radians(5.0), np.radians(75.0)
    for _ in range(30):  # the more it leans, the higher its lowest point
        lean = (low + high) / 2
        placed = fitted(case, np.array([0, np.cos(lean), np.sin(lean)]), -FORWARD, grip, middle)
        low, high = (lean, high) if placed.verts[:, 1].min() < 0 else (low, lean)
    goals = fist("right", middle, unit(0, 0.5, 0.85), np.array([1.0, 0, 0]), objects_held.GRIP_RADIUS)
    return Plan(placed, goals, arm("right"))

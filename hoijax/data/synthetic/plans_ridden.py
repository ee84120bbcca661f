"""Plans for what people ride, stand on, push and stroke."""

import numpy as np

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import objects_ridden, objects_sport
from hoijax.data.synthetic.figure import Figure, Placed
from hoijax.data.synthetic.goals import ARMS, FINGERS, LEGS, SIDES, UP, Plan, unit
from hoijax.data.synthetic.grips import arm, fist, fitted, flat, joint, leg_ratio, palm
from hoijax.data.synthetic.reach import Align, Goal, Reach, Touch

FORWARD, LEFT = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])


def mount_bicycle(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """In the saddle of a bicycle of the right size, the balls of the feet on its pedals."""
    scale = leg_ratio(figure)
    shift = np.array([0, 0, joint(start, "root")[2] - 0.06 - objects_ridden.SADDLE[1] * scale])
    bike = fitted(objects_ridden.bicycle(scale), UP, FORWARD, np.zeros(3), shift)
    goals: list[Goal] = [Touch("seat", 8, weight=300.0)]
    for side, sign in SIDES:
        pedal = shift + scale * (np.array(objects_ridden.pedal(sign)) + [0.012 * sign, 0.015, 0])
        goals += [Reach(f"{side} toes", pedal, 25.0), Touch(f"{side} toes", 6)]
        goals.append(Align(f"{side}_ankle", (0, 0, 1), unit(0.1 * sign, -0.1, 1)))
    return Plan(bike, tuple(goals), LEGS)


def hold_handlebar(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """A fist round each end of the handle bar."""
    assert thing is not None
    scale = leg_ratio(figure)
    goals = [goal for side, sign in SIDES for goal in _on_bar(side, sign, _bicycle_origin(thing, scale), scale)]
    return Plan(thing, tuple(goals), ("spine2", "spine3", *ARMS, *FINGERS))


def push_bicycle(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Beside the bicycle, which is to the right; the right fist on the near end of its handle bar."""
    scale = leg_ratio(figure)
    outside = settled.verts[figure.weights[:, [1, 2, 4, 5, 7, 8, 10, 11]].sum(1) > 0.5, 0].min()
    shift = np.array([outside - 0.20 * scale, 0.0, joint(settled, "root")[2] - 0.02])
    bike = fitted(objects_ridden.bicycle(scale), UP, FORWARD, np.zeros(3), shift)
    goals = _on_bar("right", 1.0, shift, scale, np.array([-1.0, 0, 0]))
    return Plan(bike, goals, ("spine1", "spine2", "spine3", *arm("right")))


def _on_bar(
    side: str, end: float, origin: np.ndarray, scale: float, thumb: np.ndarray | None = None
) -> tuple[Goal, ...]:
    height, z, half, radius = objects_ridden.HANDLEBAR
    middle = origin + scale * np.array([end * half, height, z - 0.006])
    return fist(side, middle, unit(0, 0.8, -0.5), -end * LEFT if thumb is None else -thumb, scale * radius)


def _bicycle_origin(bike: ColoredMesh, scale: float) -> np.ndarray:
    """Where the point under the cranks is: the rear wheel's end is as far behind it as the constants say."""
    return np.array([0.0, 0.0, bike.verts[:, 2].min() + scale * (0.44 + objects_ridden.WHEEL)])


def mount_horse(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Astride in the saddle, the legs hanging along the barrel."""
    horse = fitted(objects_ridden.horse(), UP, FORWARD, np.zeros(3), np.array([0, 0, joint(start, "root")[2] + 0.02]))
    goals: list[Goal] = [Touch("seat", 16)]
    for side, sign in SIDES:
        goals.append(Align(f"{side}_ankle", (0, 0, 1), unit(0.35 * sign, -0.15, 1)))
    return Plan(horse, tuple(goals), LEGS)


def hold_horn(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Both fists on the bar over the withers."""
    assert thing is not None
    height, z, radius = objects_ridden.HORSE_GRIP
    ahead = thing.verts[:, 2].max() - objects_ridden.horse().verts[:, 2].max()
    goals: list[Goal] = []
    for side, sign in SIDES:
        goals += fist(side, np.array([0.105 * sign, height, ahead + z]), unit(0, 0.8, -0.6), -sign * LEFT, radius)
    return Plan(thing, tuple(goals), ("spine2", "spine3", *ARMS, *FINGERS))


def stand_on_skateboard(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """Both feet across the deck, which runs from left to right."""
    soles = {
        side: start.verts[np.concatenate([figure.patches[f"{side} {p}"] for p in ("heel", "toes")])]
        for side, _ in SIDES
    }
    middle = np.mean([points.mean(0) for points in soles.values()], axis=0)
    board = fitted(objects_sport.skateboard(), UP, FORWARD, np.zeros(3), np.array([middle[0], 0, middle[2]]))
    goals: list[Goal] = []
    for side, sign in SIDES:
        for patch in ("heel", "toes"):
            point = start.verts[figure.patches[f"{side} {patch}"]].mean(0)
            goals.append(
                Reach(
                    f"{side} {patch}", np.array([middle[0] + 0.19 * sign, objects_sport.DECK_HEIGHT + 0.004, point[2]])
                )
            )
            goals.append(Touch(f"{side} {patch}", 5))
    return Plan(board, tuple(goals), LEGS)


def stay(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """Nothing more to do than to keep the arms out of the object."""
    return Plan(thing, (), ARMS)


def hold_skateboard(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The board upright on its tail beside the right leg, the right palm on its upper end."""
    at, _, _ = palm(figure, settled, "right")
    flat_board = objects_sport.skateboard()
    half = np.ptp(flat_board.verts[:, 0]) / 2
    upright = flat_board.verts[:, [1, 0, 2]] * [1, 1, -1]  # its length up, its deck to the left
    board = flat_board._replace(verts=upright + [at[0] + 0.03 - objects_sport.DECK_HEIGHT, half, at[2]])
    near = board.verts[(np.abs(board.verts[:, 1] - 2 * half + 0.06) < 0.03)]
    point = np.array([near[:, 0].min(), 2 * half - 0.06, at[2]])
    return Plan(board, flat("right", point, -LEFT, unit(0, -1, 0.2), 6), ("spine1", "spine2", "spine3", *arm("right")))


def pet_dog(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The dog stands across in front, the right palm lies on its back."""
    at, _, _ = palm(figure, settled, "right")
    legs = settled.verts[figure.weights[:, [1, 2, 4, 5, 7, 8, 10, 11]].sum(1) > 0.5]
    ahead = max(at[2], legs[legs[:, 1] < objects_ridden.DOG_BACK, 2].max() + 0.16)
    dog = fitted(
        objects_ridden.dog(), UP, unit(1, 0, 0.25), np.array([0, 0, -0.08]), np.array([at[0] + 0.05, 0, ahead])
    )
    point = np.array([at[0] + 0.05, objects_ridden.DOG_BACK, ahead])
    return Plan(dog, flat("right", point, UP, unit(0.3, 0, 1), 8), ("spine1", "spine2", "spine3", *arm("right")))


def balance(figure: Figure, start: Placed, thing: ColoredMesh | None) -> Plan:
    """The left sole flat on the floor, the right leg in the air."""
    goals = tuple(Touch(f"left {patch}", count, floor=True) for patch, count in (("heel", 8), ("toes", 30)))
    return Plan(None, goals, tuple(name for name in LEGS if name.startswith("left")))


def kick_ball(figure: Figure, settled: Placed, thing: ColoredMesh | None) -> Plan:
    """The ball just at the tip of the right foot."""
    toward = unit(0, 0.20, 1)
    foot = settled.verts[figure.patches["right toes"]]
    foot = settled.verts[np.linalg.norm(settled.verts - foot.mean(0), axis=1) < 0.18]
    tip = foot[(foot @ toward).argmax()]
    middle = tip + (objects_sport.FOOTBALL_RADIUS - 0.002) * toward
    ball = fitted(objects_sport.football(), unit(0.3, 0.5, 1), UP, np.zeros(3), middle)
    return Plan(ball, (), ("right_ankle",))

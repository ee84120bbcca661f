"""Designs of the benchmark: people who ride, push, stand on, kick or stroke something."""

from hoijax.data.synthetic import objects_ridden, plans
from hoijax.data.synthetic import plans_ridden as ridden
from hoijax.data.synthetic.designs_held import LOW_LEFT, RIGHT_HAND
from hoijax.data.synthetic.scenes import FLAT, HANDS, RELAXED, STANDING, Design

FEET = ("left foot", "right foot")

RIDDEN: dict[str, Design] = {
    "bicycle_ride": Design(
        category="bicycle",
        action="ride",
        turns=FLAT
        | {"root": "x14", "spine1": "x12", "spine2": "x8", "neck": "x-14", "head": "x-10"}
        | {"left_hip": "x-62 z-4", "left_knee": "x58", "right_hip": "x-86 z4", "right_knee": "x104"}
        | {"both_shoulder": "z-58 x-62", "both_elbow": "y-24"},
        settle=ridden.mount_bicycle,
        handle=ridden.hold_handlebar,
        contact_parts=(*HANDS, *FEET),
        yaw=-64.0,
        pitch=6.0,
        extent=0.86,
        floor="tiles",
        wall="hedge",
        seat=objects_ridden.SADDLE[0],
    ),
    "bicycle_walk": Design(
        category="bicycle",
        action="walk",
        turns=STANDING
        | LOW_LEFT
        | {"left_hip": "x-14 z-3", "left_knee": "x12", "right_hip": "x8 z3", "right_knee": "x10"}
        | {"right_shoulder": "z60 x-40", "right_elbow": "y40", "spine1": "x5"},
        settle=plans.stand,
        handle=ridden.push_bicycle,
        contact_parts=RIGHT_HAND,
        yaw=-30.0,
        pitch=8.0,
        extent=1.10,
        aim=(0.18, -0.12),
        floor="tiles",
        wall="bricks",
    ),
    "horse_ride": Design(
        category="horse",
        action="ride",
        turns=RELAXED
        | {"both_hip": "x-36 y18 z30", "both_knee": "x46", "both_ankle": "x-8"}
        | {"spine1": "x6", "spine2": "x4", "both_shoulder": "z-64 x-46", "both_elbow": "y-30"},
        settle=ridden.mount_horse,
        handle=ridden.hold_horn,
        contact_parts=(*HANDS, "bottom"),
        yaw=58.0,
        pitch=5.0,
        extent=1.12,
        aim=(0.12, -0.14),
        floor="lawn",
        wall="hedge",
        seat=objects_ridden.HORSE_BACK,
    ),
    "skateboard_ride": Design(
        category="skateboard",
        action="ride",
        turns=RELAXED
        | {"both_hip": "x-30 z-11", "both_knee": "x46", "both_ankle": "x-18 z8", "spine1": "x12", "head": "y38"}
        | {"left_shoulder": "z-18 y-8", "left_elbow": "y-22", "right_shoulder": "z24 y-6", "right_elbow": "y30"},
        settle=ridden.stand_on_skateboard,
        handle=ridden.stay,
        contact_parts=FEET,
        yaw=-22.0,
        pitch=8.0,
        extent=0.84,
        floor="tiles",
        wall="bricks",
    ),
    "skateboard_hold": Design(
        category="skateboard",
        action="hold",
        turns=STANDING | LOW_LEFT | FLAT | {"right_shoulder": "z62 x-2", "right_elbow": "y10", "left_hip": "z-8"},
        settle=plans.stand,
        handle=ridden.hold_skateboard,
        contact_parts=RIGHT_HAND,
        yaw=-38.0,
        pitch=6.0,
        extent=0.84,
        floor="tiles",
        wall="bricks",
    ),
    "dog_pet": Design(
        category="dog",
        action="pet",
        turns=STANDING
        | FLAT
        | {"root": "x38", "both_hip": "x-84 z-6", "both_knee": "x66", "both_ankle": "x-20", "spine1": "x8"}
        | {"neck": "x-8", "right_shoulder": "z72 x-50", "right_elbow": "y20", "left_shoulder": "z-64 x-34"}
        | {"left_elbow": "y-40"},
        settle=plans.stand,
        handle=ridden.pet_dog,
        contact_parts=RIGHT_HAND,
        yaw=-34.0,
        pitch=11.0,
        extent=0.80,
        floor="lawn",
        wall="hedge",
    ),
    "ball_kick": Design(
        category="sports ball",
        action="kick",
        turns=STANDING
        | {"right_hip": "x-42 z4", "right_knee": "x16", "right_ankle": "x22", "left_hip": "x6 z-6", "left_knee": "x10"}
        | {"spine1": "x-6", "left_shoulder": "z-30 y-42", "left_elbow": "y-30", "right_shoulder": "z38 y-26"}
        | {"right_elbow": "y24"},
        settle=ridden.balance,
        handle=ridden.kick_ball,
        contact_parts=("right foot",),
        yaw=48.0,
        pitch=5.0,
        extent=0.84,
        floor="lawn",
        wall="hedge",
    ),
}

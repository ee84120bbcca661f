"""Designs of the benchmark: furniture, boards as large as a person, and what is worn or stood behind."""

from hoijax.data.synthetic import objects_large, plans
from hoijax.data.synthetic import plans_large as large
from hoijax.data.synthetic.designs_held import LOW_LEFT, RIGHT_HAND, STEP
from hoijax.data.synthetic.scenes import FLAT, HANDS, RELAXED, STANDING, Design

LYING = {"root": "x-90", "both_shoulder": "z-64 y4", "both_elbow": "x-60 y-10"}

LARGE: dict[str, Design] = {
    "bench_sit": Design(
        category="bench",
        action="sit on",
        turns=FLAT
        | {"both_hip": "x-84 z-5", "both_knee": "x80", "both_ankle": "x4", "head": "y-16"}
        | {"both_shoulder": "z-62 x-30", "both_elbow": "y-66"},
        settle=large.sit_on_bench,
        handle=plans.rest_hands,
        contact_parts=("bottom", "back"),
        yaw=34.0,
        pitch=8.0,
        extent=0.80,
        floor="tiles",
        wall="hedge",
    ),
    "couch_sit": Design(
        category="couch",
        action="sit on",
        turns=FLAT
        | {"root": "x-12", "left_hip": "x-78 z-6", "right_hip": "x-78 z12", "both_knee": "x82", "both_ankle": "x6"}
        | {"neck": "x6", "head": "x4 y-10", "right_shoulder": "z44 x-44", "right_elbow": "x-30 y48"}
        | {"left_shoulder": "z-66 x-30", "left_elbow": "y-70"},
        settle=large.sit_on_couch,
        handle=large.hand_on_arm_rest,
        contact_parts=("bottom", "back", *RIGHT_HAND),
        yaw=-38.0,
        pitch=10.0,
        extent=0.86,
        floor="boards",
        wall="plaster",
    ),
    "gymball_sit": Design(
        category="ball",
        action="sit on",
        turns=RELAXED
        | {"both_hip": "x-76 z-18", "both_knee": "x80", "both_ankle": "x-4", "head": "x6"}
        | {"both_shoulder": "z-66 x-30", "both_elbow": "y-66"},
        settle=large.sit_on_ball,
        handle=plans.rest_hands,
        contact_parts=("bottom",),
        yaw=40.0,
        pitch=7.0,
        extent=0.80,
        floor="boards",
        wall="plaster",
    ),
    "laptop_type": Design(
        category="laptop",
        action="type on",
        turns=FLAT
        | {"both_hip": "x-96 z-3", "both_knee": "x16", "both_ankle": "x-8", "spine1": "x8", "spine2": "x8"}
        | {"neck": "x14", "head": "x14", "both_shoulder": "z-70 x-24", "both_elbow": "x40 y-62"},
        settle=large.sit_on_floor,
        handle=large.type_on_laptop,
        contact_parts=HANDS,
        yaw=-62.0,
        pitch=15.0,
        extent=0.80,
        floor="boards",
        wall="plaster",
    ),
    "bed_lie": Design(
        category="bed",
        action="lie on",
        turns=FLAT
        | LYING
        | {"left_hip": "x-48 z-4", "left_knee": "x92", "left_ankle": "x12", "right_hip": "z5", "neck": "x14"},
        settle=large.lie_on_bed,
        handle=large.palms_down,
        contact_parts=("bottom", "back", *HANDS, "left foot"),
        yaw=66.0,
        pitch=22.0,
        extent=0.88,
        floor="boards",
        wall="plaster",
        seat=objects_large.BED[1],
    ),
    "cushion_lie": Design(
        category="air cushion",
        action="lie on",
        turns=RELAXED
        | {"root": "x-90", "both_hip": "x-6 z-6", "both_knee": "x10", "neck": "x16", "head": "x10"}
        | {"both_shoulder": "z-54 y-34", "both_elbow": "y-72"},
        settle=large.lie_on_cushion,
        handle=plans.rest_hands,
        contact_parts=("bottom", "back"),
        yaw=-58.0,
        pitch=26.0,
        extent=0.86,
        floor="lawn",
        wall="hedge",
        seat=objects_large.CUSHION[1],
    ),
    "table_clean": Design(
        category="dining table",
        action="clean",
        turns=STANDING
        | FLAT
        | {"root": "x12", "both_hip": "x-14 z-5", "spine1": "x12", "spine2": "x6", "head": "x8"}
        | {"right_shoulder": "z62 x-50", "right_elbow": "y30", "right_wrist": "z-30"}
        | {"left_shoulder": "z-58 x16", "left_elbow": "y-30"},
        settle=plans.stand,
        handle=large.stand_behind_table,
        contact_parts=RIGHT_HAND,
        yaw=16.0,
        pitch=12.0,
        extent=1.16,
        aim=(-0.10, -0.18),
        floor="tiles",
        wall="plaster",
    ),
    "surfboard_carry": Design(
        category="surfboard",
        action="carry",
        turns=STANDING | STEP | LOW_LEFT | FLAT | {"right_shoulder": "z48 x4", "right_elbow": "y10"},
        settle=plans.stand,
        handle=large.carry_surfboard,
        contact_parts=RIGHT_HAND,
        yaw=-46.0,
        pitch=5.0,
        extent=0.88,
        floor="tiles",
        wall="hedge",
    ),
    "surfboard_hold": Design(
        category="surfboard",
        action="hold",
        turns=STANDING
        | LOW_LEFT
        | FLAT
        | {"right_shoulder": "x-70 z30 y8", "right_elbow": "y30", "left_hip": "x-6 z-8", "left_knee": "x10"},
        settle=plans.stand,
        handle=large.hold_surfboard,
        contact_parts=RIGHT_HAND,
        yaw=-14.0,
        pitch=4.0,
        extent=1.12,
        aim=(0.14, -0.12),
        floor="tiles",
        wall="hedge",
    ),
    "backpack_wear": Design(
        category="backpack",
        action="wear",
        turns=STANDING
        | {"left_hip": "x-18 z-3", "left_knee": "x16", "right_hip": "x14 z3", "right_knee": "x18", "spine1": "x5"}
        | {"left_shoulder": "z-56 x10", "left_elbow": "y-26", "right_shoulder": "z56 x-14", "right_elbow": "y30"},
        settle=plans.stand,
        handle=large.wear_backpack,
        contact_parts=("back",),
        yaw=-128.0,
        pitch=5.0,
        extent=0.84,
        floor="lawn",
        wall="bricks",
    ),
}

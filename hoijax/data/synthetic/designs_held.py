"""Designs of the benchmark: people who hold something in one hand or in both."""

from hoijax.data.synthetic import plans
from hoijax.data.synthetic import plans_held as held
from hoijax.data.synthetic.scenes import FLAT, HANDS, STANDING, Design

RIGHT_HAND, LEFT_HAND = ("right palm", "right fingers"), ("left palm", "left fingers")
STEP = {"left_hip": "x-14 z-3", "left_knee": "x12", "right_hip": "x12 z3", "right_knee": "x14"}
ASTRIDE = {"both_hip": "z-9", "both_ankle": "z6"}
LOW_LEFT = {"left_shoulder": "z-68 x4", "left_elbow": "y-16"}
LOW_RIGHT = {"right_shoulder": "z68 x4", "right_elbow": "y16"}
BEFORE = {"both_shoulder": "z-68 x-18", "both_elbow": "x-30 y-78"}

HELD: dict[str, Design] = {
    "umbrella_hold": Design(
        category="umbrella",
        action="hold",
        turns=STANDING | STEP | LOW_LEFT | {"right_shoulder": "z66 x-20", "right_elbow": "y98", "head": "y-10"},
        settle=plans.stand,
        handle=held.hold_umbrella,
        contact_parts=RIGHT_HAND,
        yaw=-28.0,
        pitch=4.0,
        extent=0.88,
        floor="tiles",
        wall="hedge",
    ),
    "racket_swing": Design(
        category="tennis racket",
        action="swing",
        turns=STANDING
        | {"left_hip": "x-22 z-6", "left_knee": "x24", "right_hip": "x14 z8", "right_knee": "x20", "spine2": "y-14"}
        | {"right_shoulder": "x-84 z18 y8", "right_elbow": "y38", "left_shoulder": "z-35 y-50", "left_elbow": "y-35"},
        settle=plans.stand,
        handle=held.swing_racket,
        contact_parts=RIGHT_HAND,
        yaw=35.0,
        pitch=5.0,
        extent=0.86,
        floor="lawn",
        wall="hedge",
    ),
    "bat_swing": Design(
        category="baseball bat",
        action="swing",
        turns=STANDING
        | FLAT
        | ASTRIDE
        | {"both_hip": "x-22 z-10", "both_knee": "x34", "both_ankle": "x-12 z5", "spine1": "x8", "spine3": "y-24"}
        | {"neck": "y20", "left_shoulder": "z-30 y-100", "left_elbow": "y-62"}
        | {"right_shoulder": "z42 y46", "right_elbow": "y112"},
        settle=plans.stand,
        handle=held.swing_bat,
        contact_parts=HANDS,
        yaw=42.0,
        pitch=5.0,
        extent=0.84,
        floor="lawn",
        wall="bricks",
    ),
    "book_read": Design(
        category="book",
        action="read",
        turns=STANDING | FLAT | {"both_shoulder": "z-70 x-18", "both_elbow": "x-50 y-98", "neck": "x10", "head": "x16"},
        settle=plans.stand,
        handle=held.read_book,
        contact_parts=HANDS,
        yaw=48.0,
        pitch=8.0,
        extent=1.32,
        aim=(0.0, -0.38),
        floor="boards",
        wall="plaster",
    ),
    "bowl_hold": Design(
        category="bowl",
        action="hold",
        turns=STANDING | BEFORE | {"head": "x12", "left_hip": "x-8 z-5", "left_knee": "x10"},
        settle=plans.stand,
        handle=held.hold_bowl,
        contact_parts=HANDS,
        yaw=-24.0,
        pitch=13.0,
        extent=0.84,
        floor="tiles",
        wall="plaster",
    ),
    "plant_hold": Design(
        category="potted plant",
        action="hold",
        turns=STANDING | STEP | BEFORE | {"spine1": "x-5"},
        settle=plans.stand,
        handle=held.hold_pot,
        contact_parts=HANDS,
        yaw=30.0,
        pitch=6.0,
        extent=0.84,
        floor="tiles",
        wall="bricks",
    ),
    "ball_throw": Design(
        category="sports ball",
        action="throw",
        turns=STANDING
        | FLAT
        | {"both_shoulder": "x-70 z38 y-20", "both_elbow": "x-20 y-62", "both_wrist": "x-50", "spine2": "x-9"}
        | {"left_hip": "x-20 z-3", "left_knee": "x14", "right_hip": "x16 z3", "right_knee": "x16"},
        settle=plans.stand,
        handle=held.raise_ball,
        contact_parts=HANDS,
        yaw=55.0,
        pitch=4.0,
        extent=0.86,
        floor="lawn",
        wall="hedge",
    ),
    "barbell_lift": Design(
        category="barbell",
        action="lift",
        turns=STANDING | FLAT | ASTRIDE | {"both_shoulder": "x-88 z48 y-12", "both_elbow": "y-40"},
        settle=plans.stand,
        handle=held.lift_barbell,
        contact_parts=HANDS,
        yaw=18.0,
        pitch=3.0,
        extent=0.88,
        floor="boards",
        wall="bricks",
    ),
    "bear_hug": Design(
        category="teddy bear",
        action="hug",
        turns=STANDING | FLAT | {"both_shoulder": "z-58 y-42", "both_elbow": "y-82", "head": "x10 y14"},
        settle=plans.stand,
        handle=held.hug_bear,
        contact_parts=HANDS,
        yaw=12.0,
        pitch=5.0,
        extent=1.18,
        aim=(0.0, -0.28),
        floor="boards",
        wall="plaster",
    ),
    "cup_drink": Design(
        category="cup",
        action="drink with",
        turns=STANDING
        | LOW_LEFT
        | {"head": "x-6", "neck": "x-4", "jaw": "x5", "right_shoulder": "z52 x-42", "right_elbow": "y122"},
        settle=plans.stand,
        handle=held.drink_from_cup,
        contact_parts=("mouth", *RIGHT_HAND),
        yaw=-40.0,
        pitch=3.0,
        extent=2.1,
        aim=(0.0, -0.62),
        floor="tiles",
        wall="plaster",
    ),
    "suitcase_carry": Design(
        category="suitcase",
        action="carry",
        turns=STANDING | STEP | LOW_LEFT | {"spine1": "z4", "right_shoulder": "z57 x-4", "right_elbow": "y14"},
        settle=plans.stand,
        handle=held.carried("right", "suitcase"),
        contact_parts=RIGHT_HAND,
        yaw=-48.0,
        pitch=6.0,
        extent=0.84,
        floor="tiles",
        wall="bricks",
    ),
    "suitcase_drag": Design(
        category="suitcase",
        action="drag",
        turns=STANDING
        | STEP
        | LOW_LEFT
        | {"right_shoulder": "z64 x28", "right_elbow": "x55 y8", "right_wrist": "x25", "spine1": "x4"},
        settle=plans.stand,
        handle=held.drag_suitcase,
        contact_parts=RIGHT_HAND,
        yaw=-68.0,
        pitch=7.0,
        extent=1.02,
        aim=(0.16, -0.06),
        floor="tiles",
        wall="hedge",
    ),
    "basket_carry": Design(
        category="basket",
        action="carry",
        turns=STANDING | STEP | LOW_RIGHT | {"left_shoulder": "z-58 x-8", "left_elbow": "y-24", "head": "y12"},
        settle=plans.stand,
        handle=held.carried("left", "basket"),
        contact_parts=LEFT_HAND,
        yaw=38.0,
        pitch=9.0,
        extent=0.84,
        floor="lawn",
        wall="hedge",
    ),
}

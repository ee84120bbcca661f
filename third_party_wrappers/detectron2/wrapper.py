"""Detectron2: the people in an image."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="detectron2",
    role="boxes of people, to count them",
    main=Path(__file__).with_name("main.py"),
    inputs=("image",),
    outputs=lambda job: {"people.json": checks.people_json},
    options={"score": 0.5},
    modules=lambda tool: ("torch", "detectron2", "numpy", "PIL"),
    without="annotated boxes tell how many people there are",
)

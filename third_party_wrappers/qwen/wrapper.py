"""Qwen2.5, or any chat model that transformers loads: answers a text, or picks of a list what it finds most likely."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="qwen",
    role="picks a word of a list",
    main=Path(__file__).with_name("main.py"),
    inputs=("turns", "words"),
    outputs=lambda job: {"answers.json": checks.answers_json},
    options={"mode": "write", "max_new_tokens": 64},
    modules=lambda tool: ("torch", "transformers"),
    without="words are read from the first model's answer alone (--picker=match)",
)

"""PointLLM: answers questions about a coloured point cloud."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="pointllm",
    role="says what a person does, from points",
    main=Path(__file__).with_name("main.py"),
    inputs=("cloud", "turns"),
    outputs=lambda job: {"answers.json": checks.answers_json},
    options={"max_length": 2048, "sample": False, "seed": 0},
    modules=lambda tool: ("torch", "transformers", "numpy", "timm", "easydict", "yaml", "requests"),
    without="give answers that you have from elsewhere, or compare with a nearest neighbour (--answerer=nearest)",
    repository_files=("pointllm/conversation.py", "pointllm/model/pointllm.py", "pointllm/model/utils.py"),
)

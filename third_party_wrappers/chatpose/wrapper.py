"""ChatPose: a question about a person in an image, answered in words and with that person's SMPL pose."""

from pathlib import Path

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

WRAPPER = Wrapper(
    name="chatpose",
    role="answers a question with a pose",
    main=Path(__file__).with_name("main.py"),
    inputs=("image",),
    outputs=lambda job: {"answer.json": checks.posed_answer_json},
    # crop: as the repository's own program does, what a wide picture has at its ends is not seen
    options={"question": "", "max_new_tokens": 512, "picture": "crop"},
    modules=lambda tool: ("torch", "transformers", "sentencepiece", "cv2", "numpy", "PIL"),
    without="plain answers from the other samples, or answers that you have (--answers)",
    repository_files=("model/chatpose.py", "model/llava/mm_utils.py", "utils/utils.py", "data/SMPLX_NEUTRAL_2020.npz"),
    needs_gpu=True,
)

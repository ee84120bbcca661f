"""Run by ChatPose's own python: asks about an image, writes its words and the SMPL pose that comes with them.

The repository's program chats on a terminal and draws what it answers, so this imports its model and asks once a job.
"""

import json
import sys
from pathlib import Path

POSE_TOKEN = "[SEG]"  # what the released weights say where they mean a pose
LENGTH = 144  # of the head's answer: 24 joints of 6 numbers
SIDE = 256  # pixels of the second, smaller picture that the model's function takes
OFF = 0.05  # how far R^T R may be off the identity: bfloat16 is off by less


def load(settings):
    import numpy as np
    import torch
    from serve import device, photo

    sys.path.insert(1, str(settings.repository.resolve()))
    where = device(settings.device)
    precision = torch.bfloat16 if where.startswith("cuda") else torch.float32
    tokenizer, model, tower = loaded(str(settings.checkpoint), where, precision)

    def work(job):
        text = job.options["question"]
        if not text.strip() or "<image>" in text:
            raise ValueError(f"the question is empty or has <image> in it: {text!r}")
        picture = photo(job.inputs["image"])
        if job.options["picture"] == "pad":
            picture = square(picture, tower.image_processor.image_mean)
        picture = np.asarray(picture)
        pixels = tower.image_processor.preprocess(picture, return_tensors="pt")["pixel_values"][0][None]
        asked = tokens(tokenizer, text).to(where)
        words, pose = answer(model, tokenizer, pixels.to(where, precision), asked, int(job.options["max_new_tokens"]))
        record = {"question": text, "text": words, "global_orient": None, "body_pose": None}
        if pose is not None:
            matrices = rotations(pose)
            record["global_orient"], record["body_pose"] = matrices[0].tolist(), matrices[1:].tolist()
        (job.out / "answer.json").write_text(json.dumps(record), encoding="utf-8")

    return work


def loaded(checkpoint, where, precision):
    """Tokenizer, model and the model's picture encoder, on the device."""
    from model.chatpose import ChatPoseForCausalLM
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint, model_max_length=512, padding_side="right", use_fast=False)
    tokenizer.pad_token = tokenizer.unk_token
    model = ChatPoseForCausalLM.from_pretrained(
        checkpoint,
        low_cpu_mem_usage=True,
        torch_dtype=precision,
        seg_token_idx=tokenizer(POSE_TOKEN, add_special_tokens=False).input_ids[0],
        out_dim=LENGTH,
    )
    for name in ("eos_token_id", "bos_token_id", "pad_token_id"):
        setattr(model.config, name, getattr(tokenizer, name))
    inner = model.get_model()
    inner.initialize_vision_modules(inner.config)
    tower = inner.get_vision_tower()
    if not tower.is_loaded:
        tower.load_model()
    model.to(device=where, dtype=precision)
    tower.to(device=where, dtype=precision)
    model.eval()
    return tokenizer, model, tower


def square(picture, mean):
    """The whole picture in the middle of a square of the colour that the encoder takes for none."""
    from PIL import Image

    side = max(picture.size)
    whole = Image.new("RGB", (side, side), tuple(int(255 * level) for level in mean))
    whole.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return whole


def tokens(tokenizer, text):
    """The question in the model's conversation, after the image, as token ids (1, n)."""
    from model.llava import conversation
    from model.llava.mm_utils import tokenizer_image_token
    from utils.utils import DEFAULT_IM_END_TOKEN, DEFAULT_IM_START_TOKEN, DEFAULT_IMAGE_TOKEN

    talk = conversation.conv_templates["llava_v1"].copy()
    talk.messages = []
    image = DEFAULT_IM_START_TOKEN + DEFAULT_IMAGE_TOKEN + DEFAULT_IM_END_TOKEN
    talk.append_message(talk.roles[0], image + "\n" + text)
    talk.append_message(talk.roles[1], None)
    return tokenizer_image_token(talk.get_prompt(), tokenizer, return_tensors="pt")[None]


def answer(model, tokenizer, pixels, asked, most):
    """The model's words as they come, and its rotations (24, 3, 3), root first; None for words without a pose."""
    import torch

    small = torch.nn.functional.interpolate(pixels.float(), size=[SIDE, SIDE], mode="bilinear", align_corners=False).to(
        pixels.dtype
    )
    with torch.no_grad():
        said, _, pose = model.evaluate(pixels, small, asked, max_new_tokens=most, tokenizer=tokenizer, return_smpl=True)
    words = tokenizer.decode(said[0, asked.shape[1] :], skip_special_tokens=False).replace("</s>", "").strip()
    if pose is None:
        return words, None
    parts = [pose[name].detach().double().cpu().reshape(-1, 3, 3) for name in ("global_orient", "body_pose")]
    return words, torch.cat(parts)


def rotations(matrices):
    """The nearest rotations in float64, as the model's own have the few digits of bfloat16."""
    import torch

    if matrices.shape != (24, 3, 3):
        raise ValueError(f"a pose of the shape {tuple(matrices.shape)}, expected (24, 3, 3)")
    off = float((matrices.transpose(1, 2) @ matrices - torch.eye(3, dtype=matrices.dtype)).abs().max())
    if not off <= OFF:
        raise ValueError(f"the pose holds matrices that are no rotations: R^T R is off by {off:.2g}")
    left, _, right = torch.linalg.svd(matrices)
    scale = torch.ones(len(matrices), 3, dtype=matrices.dtype)
    scale[:, 2] = torch.det(left @ right)
    return (left * scale[:, None]) @ right


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

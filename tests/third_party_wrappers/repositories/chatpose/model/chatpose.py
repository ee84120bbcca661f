"""Stands in for ChatPose: a pose that turns about x by the brightness of the picture and the length of the question.

As the real one it answers in a few digits (bfloat16), in words alone where no pose is asked for, and it ends the
process, runs out of memory or takes its time where a question says so.
"""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from transformers import POSE

DATA = Path(__file__).resolve().parent.parent / "data" / "SMPLX_NEUTRAL_2020.npz"


class Tower:
    is_loaded = False
    image_mean = (0.5, 0.25, 0.75)

    def load_model(self):
        self.is_loaded = True
        self.image_processor = self

    def to(self, device, dtype):
        assert self.is_loaded

    def preprocess(self, picture, return_tensors):
        assert picture.dtype.name == "uint8"
        level = float(picture.mean()) / 255
        return {"pixel_values": [torch.full((3, 336, 336), level)]}


class ChatPoseForCausalLM(torch.nn.Module):
    @classmethod
    def from_pretrained(cls, folder, low_cpu_mem_usage, torch_dtype, seg_token_idx, out_dim):
        assert DATA.is_file()
        assert (seg_token_idx, out_dim) == (POSE, 144)
        print("loading in the process", os.getpid())
        model = cls()
        model.config, model.tower = SimpleNamespace(), Tower()
        return model

    def get_model(self):
        return SimpleNamespace(
            config=self.config, initialize_vision_modules=lambda config: None, get_vision_tower=lambda: self.tower
        )

    def evaluate(self, images_clip, images, input_ids, max_new_tokens, tokenizer, return_smpl):
        assert images_clip.shape == (1, 3, 336, 336)
        assert images.shape == (1, 3, 256, 256)
        assert return_smpl
        asked = tokenizer.decode([number for number in input_ids[0] if number > 0], skip_special_tokens=False)
        assert "an example" not in asked
        assert asked.startswith("<s>A chat. USER: <im_start><im_end>\n")
        assert asked.endswith(" ASSISTANT:")
        if os.environ.get("CHATPOSE_SECONDS"):
            time.sleep(float(os.environ["CHATPOSE_SECONDS"]))
        if "crash" in asked:
            os._exit(9)
        if "memory" in asked:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        if "SMPL pose" not in asked:
            return self.said(input_ids, "I see a person."), None, None
        angle = images_clip.mean() + len(asked) / 1000
        cos, sin = float(torch.cos(angle)), float(torch.sin(angle))
        turn = torch.tensor([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]).to(torch.bfloat16)
        pose = {"global_orient": turn[None, None], "body_pose": turn.expand(1, 23, 3, 3)}
        if "skew" in asked:
            pose["body_pose"] = 2 * pose["body_pose"]
        return self.said(input_ids, "Sure, it is [SEG]."), torch.zeros(3, 512, 512), pose

    @staticmethod
    def said(input_ids, words):
        ids = [POSE if letter == "#" else ord(letter) for letter in words.replace("[SEG]", "#")]
        return torch.cat([input_ids, torch.tensor([[*ids, 2]])], dim=1)

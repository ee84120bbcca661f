from types import SimpleNamespace

import torch

from pointllm.utils import CALLED


class PointLLMLlamaForCausalLM:
    """Answers with what it was given: how many points, the words of the prompt's last turn, the conversation's length."""

    @classmethod
    def from_pretrained(cls, path, low_cpu_mem_usage, use_cache, torch_dtype):
        assert CALLED
        assert torch_dtype == torch.float32
        made = cls()
        made.about = {"point_token_len": 4, "mm_use_point_start_end": True}
        return made

    def to(self, device):
        assert device == "cpu"
        return self

    def eval(self):
        return self

    def initialize_tokenizer_point_backbone_config_wo_embedding(self, tokenizer):
        names = {"patch": "<point_patch>", "start": "<point_start>", "end": "<point_end>"}
        tokenizer.add_tokens(list(names.values()), special_tokens=True)
        self.about.update({f"default_point_{name}_token": token for name, token in names.items()})
        self.patch = tokenizer.convert_tokens_to_ids("<point_patch>")
        self.tokenizer = tokenizer

    def get_model(self):
        return SimpleNamespace(point_backbone_config=self.about)

    def generate(self, ids, point_clouds, max_length, stopping_criteria, do_sample, **more):
        assert point_clouds.shape[0] == 1
        assert point_clouds.shape[2] == 6
        assert stopping_criteria[0].keywords == ["</s>"]
        assert not more or do_sample
        patches = int((ids == self.patch).sum())
        turns = self.tokenizer.decode(ids[0]).count("USER")
        said = f"points {point_clouds.shape[1]} patches {patches} turn {turns}"
        if do_sample:
            said += f" sampled {float(torch.rand(())):.3f}"
        new = torch.as_tensor([self.tokenizer(said).input_ids])
        return torch.cat([ids, new], 1)

"""Stands in for transformers, which ChatPose needs in one old version: a tokenizer whose tokens are letters."""

from types import SimpleNamespace

POSE = 0x5E6


class Tokenizer:
    unk_token = "<unk>"
    eos_token_id, bos_token_id, pad_token_id = 2, 1, 0

    def __call__(self, text, add_special_tokens=True):
        ids = [POSE] if text == "[SEG]" else [ord(letter) for letter in text]
        return SimpleNamespace(input_ids=[1, *ids] if add_special_tokens else ids)

    def decode(self, ids, skip_special_tokens):
        assert skip_special_tokens is False
        return "".join({1: "<s>", 2: "</s>", POSE: "[SEG]"}.get(int(number), chr(int(number))) for number in ids)


class AutoTokenizer:
    @staticmethod
    def from_pretrained(folder, model_max_length, padding_side, use_fast):
        assert (padding_side, use_fast) == ("right", False)
        return Tokenizer()

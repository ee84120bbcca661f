"""Stands in for LLaVA's way to put the picture's place between the words' tokens."""

import torch
from utils.utils import IMAGE_TOKEN_INDEX


def tokenizer_image_token(prompt, tokenizer, image_token_index=IMAGE_TOKEN_INDEX, return_tensors=None):
    before, after = prompt.split("<image>")
    assert return_tensors == "pt"
    return torch.tensor([*tokenizer(before).input_ids, image_token_index, *tokenizer(after).input_ids[1:]])

"""Run by Qwen's own python: a conversation with a chat model, through transformers and the checkpoint's chat template.

The turns are a JSON list of what is asked, in turn; decoding is greedy. In the mode "score" the answer to the last turn is
the word of the list `words` that the model gives the highest likelihood, the end of the message included, so that a word
is no better off for being the beginning of another.
"""

import json
import sys
from pathlib import Path

BATCH = 16  # words scored at once


def load(settings):
    import torch
    from serve import device
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = device(settings.device)
    kind = torch.bfloat16 if where.startswith("cuda") else torch.float32
    tokenizer = AutoTokenizer.from_pretrained(str(settings.checkpoint))
    model = AutoModelForCausalLM.from_pretrained(str(settings.checkpoint), torch_dtype=kind).to(where).eval()
    if not tokenizer.chat_template:
        raise ValueError(f"{settings.checkpoint} has no chat template: an instruct model is needed")
    end = tokenizer.eos_token_id

    def told(messages):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids.to(where)

    def written(messages, options):
        ids = told(messages)
        with torch.inference_mode():
            found = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=options["max_new_tokens"],
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=end if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
            )
        return tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True).strip()

    def likeliest(messages, words):
        start = told(messages)[0].tolist()
        ends = [tokenizer(word, add_special_tokens=False).input_ids + [end] for word in words]
        found = []
        for first in range(0, len(ends), BATCH):
            found += log_likelihoods(start, ends[first : first + BATCH])
        return words[max(range(len(words)), key=lambda k: found[k])]

    def log_likelihoods(start, ends):
        longest = max(map(len, ends))
        rows = [start + each + [end] * (longest - len(each)) for each in ends]  # what is padded comes last: no mask
        ids = torch.tensor(rows, device=where)
        with torch.inference_mode():
            hidden = model.base_model(ids)[0][:, len(start) - 1 : -1]  # logits of the whole prompt would fill a GPU
            logits = model.get_output_embeddings()(hidden).float()
        chosen = torch.log_softmax(logits, -1).gather(2, ids[:, len(start) :, None])[..., 0]
        return [float(row[: len(each)].sum()) for row, each in zip(chosen, ends)]

    def work(job):
        turns = json.loads(job.inputs["turns"].read_text(encoding="utf-8"))
        words = json.loads(job.inputs["words"].read_text(encoding="utf-8"))
        if job.options["mode"] not in ("write", "score"):
            raise ValueError("the mode is {!r}, expected write or score".format(job.options["mode"]))
        messages, answers = [], []
        for number, turn in enumerate(turns):
            messages.append({"role": "user", "content": turn})
            last = number == len(turns) - 1
            scored = last and job.options["mode"] == "score"
            answers.append(likeliest(messages, words) if scored else written(messages, job.options))
            messages.append({"role": "assistant", "content": answers[-1]})
        (job.out / "answers.json").write_text(json.dumps(answers), encoding="utf-8")

    return work


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

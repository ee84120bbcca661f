"""Run by PointLLM's own python: a conversation about a point cloud, through the repository's model.

The cloud is a .npy file (n, 6), xyz and rgb in [0, 1], centred and in the unit sphere; the turns a JSON list of what is
asked, in turn. The first turn holds the cloud. On a GPU it computes in bfloat16, as its authors do, on a CPU in float32.
"""

import json
import sys
from pathlib import Path


def load(settings):
    sys.path.insert(1, str(settings.repository))
    import numpy as np
    import torch
    from pointllm.conversation import SeparatorStyle, conv_templates
    from pointllm.model import PointLLMLlamaForCausalLM
    from pointllm.model.utils import KeywordsStoppingCriteria
    from pointllm.utils import disable_torch_init
    from serve import device
    from transformers import AutoTokenizer

    where = device(settings.device)
    kind = torch.bfloat16 if where.startswith("cuda") else torch.float32
    disable_torch_init()
    tokenizer = AutoTokenizer.from_pretrained(str(settings.checkpoint))
    model = PointLLMLlamaForCausalLM.from_pretrained(
        str(settings.checkpoint), low_cpu_mem_usage=False, use_cache=True, torch_dtype=kind
    ).to(where)
    model.initialize_tokenizer_point_backbone_config_wo_embedding(tokenizer)
    model.eval()
    template = conv_templates["vicuna_v1_1"]
    stop = template.sep if template.sep_style != SeparatorStyle.TWO else template.sep2

    def cloud_tokens():
        about = model.get_model().point_backbone_config
        patches = about["default_point_patch_token"] * about["point_token_len"]
        if about["mm_use_point_start_end"]:
            patches = about["default_point_start_token"] + patches + about["default_point_end_token"]
        return patches + "\n"

    def replied(prompt, cloud, options):
        ids = torch.as_tensor(tokenizer([prompt]).input_ids).to(where)
        length = ids.shape[1]
        if length >= options["max_length"]:
            raise ValueError("the conversation has {} tokens, the limit is {}".format(length, options["max_length"]))
        choice = {"do_sample": True, "temperature": 1.0, "top_k": 50, "top_p": 0.95} if options["sample"] else {}
        with torch.inference_mode():
            found = model.generate(
                ids,
                point_clouds=cloud,
                max_length=options["max_length"],
                stopping_criteria=[KeywordsStoppingCriteria([stop], tokenizer, ids)],
                **(choice or {"do_sample": False}),
            )
        text = tokenizer.batch_decode(found[:, length:], skip_special_tokens=True)[0].strip()
        return text[: -len(stop)].strip() if text.endswith(stop) else text

    def work(job):
        points = np.load(str(job.inputs["cloud"]), allow_pickle=False)
        if points.ndim != 2 or points.shape[1] != 6 or not np.isfinite(points).all():
            raise ValueError(f"the cloud has the shape {points.shape}, expected finite numbers (n, 6)")
        turns = json.loads(job.inputs["turns"].read_text(encoding="utf-8"))
        cloud = torch.from_numpy(points[None].astype("float32")).to(where, kind)
        torch.manual_seed(job.options["seed"])
        talk, answers = template.copy(), []
        talk.reset()
        for number, turn in enumerate(turns):
            talk.append_message(talk.roles[0], turn if number else cloud_tokens() + turn)
            talk.append_message(talk.roles[1], None)
            answers.append(replied(talk.get_prompt(), cloud, job.options))
            talk.pop_last_none_message()
            talk.append_message(talk.roles[1], answers[-1])
        (job.out / "answers.json").write_text(json.dumps(answers), encoding="utf-8")

    return work


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

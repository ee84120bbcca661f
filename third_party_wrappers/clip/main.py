"""Run by CLIP's own python: the projected features of the whole image, not normalised, through transformers."""

import sys
from pathlib import Path


def load(settings):
    import numpy as np
    import torch
    from serve import device, photo
    from transformers import AutoImageProcessor, CLIPModel

    where = device(settings.device)
    model = CLIPModel.from_pretrained(str(settings.checkpoint)).to(where).eval()
    processor = AutoImageProcessor.from_pretrained(str(settings.checkpoint))

    def work(job):
        inputs = processor(images=photo(job.inputs["image"]), return_tensors="pt").to(where)
        with torch.inference_mode():
            features = model.visual_projection(model.vision_model(pixel_values=inputs["pixel_values"])[1])
        np.save(str(job.out / "clip.npy"), features[0].float().cpu().numpy())

    return work


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

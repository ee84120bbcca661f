"""Run by ZoeDepth's own python: depth in metres, through transformers."""

import sys
from pathlib import Path


def load(settings):
    import numpy as np
    import torch
    from serve import device, photo
    from transformers import AutoImageProcessor, ZoeDepthForDepthEstimation

    where = device(settings.device)
    model = ZoeDepthForDepthEstimation.from_pretrained(str(settings.checkpoint)).to(where).eval()
    processor = AutoImageProcessor.from_pretrained(str(settings.checkpoint))

    def work(job):
        picture = photo(job.inputs["image"])
        inputs = processor(images=picture, return_tensors="pt").to(where)
        with torch.inference_mode():
            found = model(**inputs)
        size = picture.size[::-1]
        depth = processor.post_process_depth_estimation(found, source_sizes=[size])[0]["predicted_depth"]
        np.save(str(job.out / "depth.npy"), depth.float().cpu().numpy())

    return work


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

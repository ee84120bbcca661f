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
            found = model(**inputs).predicted_depth
        size = picture.size[::-1]
        depth = unpadded(found, size, getattr(processor, "do_pad", True)).float().cpu().numpy()
        np.save(str(job.out / "depth.npy"), depth)

    return work


def unpadded(depth, size, padded):
    """Depth (1, h', w') of the model's input as (h, w) of the image, without the margin that was mirrored around it.

    ZoeDepth adds int(3 sqrt(length / 2)) pixels on each side. Done here, as the processor's own way needs torchvision;
    bilinear, so that no depth comes out that is not between two predicted ones.
    """
    import torch

    rows, columns = (int((length / 2) ** 0.5 * 3) if padded else 0 for length in size)
    full = (size[0] + 2 * rows, size[1] + 2 * columns)
    depth = torch.nn.functional.interpolate(depth[:, None], full, mode="bilinear", align_corners=False)[0, 0]
    return depth[rows : full[0] - rows, columns : full[1] - columns].contiguous()


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

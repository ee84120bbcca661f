"""Run by SAM's own python: a mask for each box.

The checkpoint is a folder for transformers' SamModel, or a .pth file for the package segment_anything.
"""

import json
import sys
from pathlib import Path


def load(settings):
    folder = settings.checkpoint.is_dir()
    segment = with_transformers(settings) if folder else with_segment_anything(settings)

    def work(job):
        from PIL import Image
        from serve import photo

        boxes = json.loads(job.inputs["boxes"].read_text(encoding="utf-8"))
        for name, mask in zip(boxes, segment(photo(job.inputs["image"]), list(boxes.values()))):
            Image.fromarray(mask.astype("uint8") * 255).save(job.out / f"{name}_mask.png")

    return work


def with_transformers(settings):
    """A function from a picture and its boxes to a mask (h, w) of booleans for each box."""
    import torch
    from serve import device
    from transformers import SamModel, SamProcessor

    where = device(settings.device)
    model = SamModel.from_pretrained(str(settings.checkpoint)).to(where).eval()
    processor = SamProcessor.from_pretrained(str(settings.checkpoint))

    def segment(picture, boxes):
        boxes = [[float(number) for number in box] for box in boxes]
        inputs = processor(images=picture, input_boxes=[boxes], return_tensors="pt")
        sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
        inputs["input_boxes"] = inputs["input_boxes"].to(torch.float32)
        with torch.inference_mode():
            found = model(**inputs.to(where), multimask_output=False)
        masks = processor.image_processor.post_process_masks(found.pred_masks.cpu(), *sizes)[0]
        return [mask[0].numpy() for mask in masks]

    return segment


def with_segment_anything(settings):
    """The same with the authors' own package; the size of the model is read from the file's name."""
    import numpy as np
    from segment_anything import SamPredictor, sam_model_registry
    from serve import device

    kinds = [kind for kind in ("vit_h", "vit_l", "vit_b") if kind in settings.checkpoint.name]
    if not kinds:
        raise ValueError(f"{settings.checkpoint}: the name must tell vit_b, vit_l or vit_h")
    model = sam_model_registry[kinds[0]](checkpoint=str(settings.checkpoint))
    predictor = SamPredictor(model.to(device(settings.device)))

    def segment(picture, boxes):
        predictor.set_image(np.asarray(picture))
        return [predictor.predict(box=np.asarray(box, float), multimask_output=False)[0][0] for box in boxes]

    return segment


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

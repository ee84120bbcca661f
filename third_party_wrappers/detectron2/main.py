"""Run by Detectron2's own python: boxes and scores of the class person, by a Faster R-CNN of its model zoo."""

import json
import sys
from pathlib import Path

CONFIG = "COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml"
PERSON = 0  # of COCO's 80 classes


def load(settings):
    if settings.repository is not None:
        sys.path.insert(1, str(settings.repository))
    import numpy as np
    from detectron2 import model_zoo
    from detectron2.config import get_cfg
    from detectron2.engine import DefaultPredictor
    from serve import device, photo

    cfg = get_cfg()
    cfg.merge_from_file(model_zoo.get_config_file(CONFIG))
    cfg.MODEL.WEIGHTS = str(settings.checkpoint)
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.05  # a job's own score is applied to what is found
    cfg.MODEL.DEVICE = device(settings.device) if settings.device == "auto" else settings.device
    predictor = DefaultPredictor(cfg)

    def work(job):
        picture = np.asarray(photo(job.inputs["image"]))
        found = predictor(picture[:, :, ::-1])["instances"].to("cpu")
        classes, scores = np.asarray(found.pred_classes), np.asarray(found.scores, float)
        kept = (classes == PERSON) & (scores >= job.options["score"])
        boxes = np.asarray(found.pred_boxes.tensor, float)[kept]
        record = {"boxes": boxes.tolist(), "scores": scores[kept].tolist()}
        (job.out / "people.json").write_text(json.dumps(record), encoding="utf-8")

    return work


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)

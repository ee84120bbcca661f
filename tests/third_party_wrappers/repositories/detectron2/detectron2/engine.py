from pathlib import Path
from types import SimpleNamespace

import numpy as np


class Instances(SimpleNamespace):
    def to(self, device):
        assert device == "cpu"
        return self


class DefaultPredictor:
    """Takes BGR. Finds a sure person, a doubtful one and a chair in every picture; nothing in a black one."""

    def __init__(self, cfg):
        assert Path(cfg.MODEL.WEIGHTS).is_file()
        assert cfg.MODEL.DEVICE == "cpu"

    def __call__(self, original_image):
        height, width, _ = original_image.shape
        count = 3 if original_image[..., 2].mean() > original_image[..., 0].mean() else 0
        boxes = np.asarray([[0, 0, width / 2, height], [1, 1, 5, 5], [2, 2, 9, 9]])[:count]
        found = Instances(
            pred_boxes=SimpleNamespace(tensor=boxes.reshape(-1, 4)),
            scores=np.asarray([0.9, 0.3, 0.8])[:count],
            pred_classes=np.asarray([0, 0, 56])[:count],
        )
        return {"instances": found}

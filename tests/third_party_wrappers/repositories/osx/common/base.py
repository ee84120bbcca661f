"""Stands in for OSX's Demoer."""

import os

from config import cfg
from OSX import Model


class Demoer:
    def _make_model(self):
        assert os.path.isfile(cfg.pretrained_model_path)
        self.model = Model()

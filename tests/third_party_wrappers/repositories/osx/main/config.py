"""Stands in for OSX's configuration: its attributes, and what its methods do to the disk and to sys.path."""

import os
import sys


class Config:
    input_img_shape = (512, 384)
    input_body_shape = (256, 192)
    focal = (5000, 5000)
    princpt = (96, 128)
    root_dir = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    exp_name = "output/exp1"

    def set_args(self, gpu_ids):
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu_ids

    def set_additional_args(self, **kwargs):
        self.__dict__.update(kwargs)
        os.makedirs(os.path.join(self.root_dir, self.exp_name, "log"))


cfg = Config()
sys.path.insert(0, cfg.root_dir)

"""Stands in for OSX's body models."""

import numpy as np


class SMPLX:
    face = np.asarray([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


smpl_x = SMPLX()

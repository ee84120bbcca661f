"""The human body: SMPL-X skinning, GauHuman's refiners, the 34 parts, the built-in body."""

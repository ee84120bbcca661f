"""Procedural objects: closed meshes built from simple solids, coloured by vertex so that every side looks different.

Each stands in its own frame: y up, metres, its front towards +z. Colours are rgb in [0, 1].
"""

import numpy as np
import trimesh
from manifold3d import CrossSection, Manifold, OpType

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.solids import Point, arrays, counterclockwise, grain, hull, paint, union

BOX = (0.46, 0.30, 0.34)
BALL_RADIUS = 0.14
SEAT_HEIGHT, SEAT_DEPTH = 0.46, 0.44
TABLE = (1.15, 0.76, 0.62)
BOTTLE_HEIGHT = 0.30
BOTTLE_RADIUS = 0.14 * BOTTLE_HEIGHT
SADDLE_HEIGHT, SADDLE_RADIUS = 0.80, 0.148
ROCKER_RADIUS, ROCKER_HEIGHT = 1.9, 0.06
BAR = (0.98, 0.37)  # height and forward position of the rocking horse's handle bar
PEG = (0.27, 0.34)  # height and forward position of its foot rests


def carton() -> ColoredMesh:
    """A cardboard box: tape over the middle, a striped label in front, a frame on the left and bars on the right."""
    verts, faces = arrays(Manifold.cube(BOX, True).refine(24))
    x, y, z = (verts / np.array(BOX) * 2).T  # each in [-1, 1]
    rgb = grain(verts, (0.72, 0.53, 0.34), axis=1, period=0.021, amount=0.04)
    top, front, side = np.abs(y) > 0.99, np.abs(z) > 0.99, np.abs(x) > 0.99
    paint(rgb, (np.abs(z) < 0.17) & (top | (side & (np.abs(y) > 0.55))), (0.90, 0.86, 0.70))
    paint(rgb, front & (z > 0) & (np.abs(x - 0.25) < 0.5) & (np.abs(y + 0.1) < 0.55), (0.95, 0.95, 0.93))
    bars = front & (z > 0) & (np.abs(x - 0.25) < 0.42) & (np.abs(y + 0.1) < 0.45)
    paint(rgb, bars & (np.floor(x * 12) % 2 == 0), (0.10, 0.12, 0.16))
    paint(rgb, front & (z < 0) & (np.abs(y) < 0.3), (0.75, 0.15, 0.12))
    inner = np.maximum(np.abs(y), np.abs(z))
    paint(rgb, side & (x > 0) & (inner > 0.30) & (inner < 0.60), (0.12, 0.30, 0.60))
    paint(rgb, side & (x < 0) & (np.abs(z) < 0.7) & (np.floor(y * 4) % 2 == 0), (0.13, 0.45, 0.25))
    return ColoredMesh(verts, faces, rgb)


def beach_ball() -> ColoredMesh:
    """A ball of six coloured panels between two white caps."""
    ball = trimesh.creation.uv_sphere(BALL_RADIUS, count=[33, 60])
    verts, faces = np.array(ball.vertices)[:, [1, 2, 0]], np.array(ball.faces)
    panel = np.floor((np.arctan2(verts[:, 2], verts[:, 0]) / np.pi + 1) * 3 + 1e-6).astype(int) % 6
    palette = np.array(
        [
            (0.85, 0.12, 0.12),
            (0.97, 0.96, 0.93),
            (0.10, 0.32, 0.75),
            (0.97, 0.80, 0.12),
            (0.96, 0.96, 0.93),
            (0.08, 0.55, 0.30),
        ]
    )
    rgb = palette[panel]
    paint(rgb, np.abs(verts[:, 1]) > 0.93 * BALL_RADIUS, (0.97, 0.97, 0.95))
    paint(rgb, verts[:, 1] > 0.985 * BALL_RADIUS, (0.85, 0.12, 0.12))
    return ColoredMesh(verts, faces, rgb)


def bottle() -> ColoredMesh:
    """A bottle with a striped label; its mouth is at the top of the y axis, its bottom at y = 0."""
    outline = [(0, 0.024), (0.112, 0), (0.136, 0.024), (0.14, 0.08), (0.14, 0.54), (0.128, 0.62), (0.088, 0.72)]
    outline += [(0.058, 0.80), (0.052, 0.94), (0.062, 0.948), (0.062, 0.992), (0.048, 1.0), (0, 0.992)]
    profile = BOTTLE_HEIGHT * counterclockwise(np.array(outline))
    solid = Manifold.revolve(CrossSection([profile]), 40).refine_to_length(0.034 * BOTTLE_HEIGHT)
    verts, faces = arrays(solid.rotate((-90, 0, 0)))  # manifold turns profiles about z
    y = verts[:, 1] / BOTTLE_HEIGHT
    rgb = np.tile((0.10, 0.42, 0.28), (len(verts), 1)) * (0.9 + 0.1 * np.cos(15 * y))[:, None]
    angle = np.arctan2(verts[:, 2], verts[:, 0])
    label = (y > 0.18) & (y < 0.50)
    paint(rgb, label, (0.95, 0.93, 0.86))
    paint(rgb, label & (np.abs(y - 0.34) < 0.088) & (np.floor(angle / np.pi * 4) % 2 == 0), (0.85, 0.20, 0.12))
    paint(rgb, (y > 0.22) & (y < 0.248) | (y > 0.432) & (y < 0.46), (0.15, 0.18, 0.35))
    paint(rgb, y > 0.942, (0.80, 0.70, 0.30))
    return ColoredMesh(verts, faces, rgb)


def chair() -> ColoredMesh:
    """A wooden chair with a checked seat; its seat's front edge is at z = SEAT_DEPTH, its back at z = 0."""
    width, post, top = 0.42, 0.036, SEAT_HEIGHT
    inner = 0.132  # the back is narrower than the seat, so that arms hang beside it
    boxes: list[tuple[Point, Point]] = [((-width / 2, top - 0.045, 0), (width / 2, top, SEAT_DEPTH))]
    for x in (-width / 2, width / 2 - post):
        boxes.append(((x, 0, SEAT_DEPTH - post), (x + post, top - 0.02, SEAT_DEPTH)))
        boxes.append(((x, 0, 0.001), (x + post, top - 0.02, post)))
        boxes.append(((x + 0.008, 0.17, 0.02), (x + post - 0.008, 0.20, SEAT_DEPTH - 0.02)))
    boxes += [((x, top - 0.02, 0.001), (x + post, 0.90, post)) for x in (-inner - post, inner)]
    for low, high in ((0.58, 0.66), (0.71, 0.78), (0.82, 0.88)):
        boxes.append(((-inner - 0.01, low, 0.008), (inner + 0.01, high, 0.030)))
    boxes.append(((-width / 2 + 0.02, 0.25, SEAT_DEPTH - 0.03), (width / 2 - 0.02, 0.29, SEAT_DEPTH - 0.01)))
    verts, faces = arrays(union(boxes).refine_to_length(0.034))
    x, y, z = verts.T
    rgb = grain(verts, (0.55, 0.33, 0.17), axis=1, period=0.05, amount=0.10)
    seat = (y > top - 0.046) & (y < top + 0.001) & (z > post)
    paint(rgb, seat, (0.86, 0.80, 0.66))
    paint(rgb, seat & ((np.floor(x / 0.075) + np.floor(z / 0.075)) % 2 == 0), (0.62, 0.14, 0.14))
    paint(rgb, (y > 0.70) & (y < 0.79) & (np.abs(x) < inner), (0.18, 0.36, 0.42))
    return ColoredMesh(verts, faces, rgb)


def table() -> ColoredMesh:
    """A table of light boards on dark legs; the floor is at y = 0 and the middle of the top over the origin."""
    w, h, d = TABLE
    leg, inset = 0.06, 0.04
    boxes: list[tuple[Point, Point]] = [((-w / 2, h - 0.035, -d / 2), (w / 2, h, d / 2))]
    x0, z0 = w / 2 - inset, d / 2 - inset
    boxes += [((-x0, h - 0.11, z - 0.01), (x0, h - 0.02, z + 0.01)) for z in (-z0 + 0.03, z0 - 0.03)]
    boxes += [((x - 0.01, h - 0.11, -z0), (x + 0.01, h - 0.02, z0)) for x in (-x0 + 0.03, x0 - 0.03)]
    for x in (-x0, x0 - leg):
        boxes += [((x, 0, z), (x + leg, h - 0.02, z + leg)) for z in (-z0, z0 - leg)]
    verts, faces = arrays(union(boxes).refine_to_length(0.048))
    x, y, z = verts.T
    top = y > h - 0.036
    rgb = grain(verts, (0.30, 0.22, 0.18), axis=1, period=0.07, amount=0.08)
    rgb[top] = grain(verts, (0.78, 0.62, 0.42), axis=0, period=0.09, amount=0.09)[top]
    board = np.floor((z + d / 2) / (d / 5)).astype(int)
    rgb[top] *= np.array([1.0, 0.82, 1.06, 0.9, 0.76, 0.76])[board[top], None]
    paint(rgb, top & (np.abs(x + 0.30) < 0.13) & (np.abs(z - 0.02) < 0.17), (0.20, 0.40, 0.45))
    paint(rgb, top & (np.abs(x + 0.30) < 0.08) & (np.abs(z - 0.02) < 0.11), (0.90, 0.88, 0.80))
    return ColoredMesh(verts, faces, np.clip(rgb, 0, 1))


def rocking_horse() -> ColoredMesh:
    """A wooden rocking horse for grown-ups, head towards +z: barrel, neck, head, legs on rockers, handle bar, pegs."""
    middle = SADDLE_HEIGHT - SADDLE_RADIUS
    parts = [hull((0, middle, -0.27, 0.14), (0, middle, 0.27, 0.14)), _saddle(middle)]
    parts.append(hull((0, middle + 0.04, 0.28, 0.10), (0, 1.03, 0.46, 0.07)))
    parts.append(hull((0, 1.06, 0.47, 0.075), (0, 0.97, 0.66, 0.05)))
    parts += [hull((x, 1.10, 0.44, 0.018), (x, 1.17, 0.44, 0.008)) for x in (-0.04, 0.04)]
    tail = ((0, middle + 0.05, -0.38, 0.03), (0, middle - 0.12, -0.52, 0.04), (0, middle - 0.28, -0.54, 0.015))
    parts.append(hull(*tail))
    for x, spread in ((-0.08, -0.13), (0.08, 0.13)):
        parts += [hull((x, middle - 0.03, z, 0.06), (spread, 0.10, 1.45 * z, 0.033)) for z in (-0.26, 0.26)]
        parts.append(_rocker(spread))
    for reach, height, z, radius in ((0.235, *BAR, 0.015), (0.25, *PEG, 0.016), (0.14, 0.075, -0.40, 0.02)):
        parts.append(hull((-reach, height, z, radius), (reach, height, z, radius)))
    verts, faces = arrays(Manifold.batch_boolean(parts, OpType.Add).simplify(0.001).refine_to_length(0.07))
    x, y, z = verts.T
    rgb = grain(verts, (0.80, 0.66, 0.46), axis=0, period=0.06, amount=0.08)
    paint(rgb, (np.sin(24 * z + 2) * np.sin(26 * y) + 0.5 * np.sin(31 * x) > 0.45) & (y > 0.3), (0.52, 0.32, 0.18))
    pad = (np.abs(z) < 0.151) & (np.hypot(x, y - middle) > 0.143) & (y > middle - 0.101)
    paint(rgb, pad, (0.66, 0.12, 0.14))
    paint(rgb, pad & (np.hypot(x, y - middle) > SADDLE_RADIUS + 0.001), (0.93, 0.78, 0.25))
    mane = (z < 0.40 + 0.5 * (y - 0.95)) & (z > 0.16) & (y > SADDLE_HEIGHT + 0.03) & (np.abs(x) < 0.05)
    paint(rgb, mane | ((z < -0.42) & (y > 0.35)), (0.25, 0.14, 0.09))
    paint(rgb, np.hypot(z, y - ROCKER_RADIUS) > ROCKER_RADIUS - ROCKER_HEIGHT - 0.002, (0.14, 0.32, 0.55))
    paint(rgb, (np.abs(x) > 0.10) & (y > 0.85), (0.20, 0.20, 0.22))
    return ColoredMesh(verts, faces, rgb)


def _saddle(middle: float) -> Manifold:
    """A pad round the upper half of the barrel, with a raised trim at both ends."""

    def ring(radius: float, start: float, end: float) -> Manifold:
        return Manifold.cylinder(end - start, radius, circular_segments=28).translate((0, 0, start))

    rings = [ring(SADDLE_RADIUS, -0.15, 0.15)]
    rings += [ring(SADDLE_RADIUS + 0.004, z - 0.012, z + 0.012) for z in (-0.135, 0.135)]
    upper = Manifold.cube((1, 0.3, 1), True).translate((0, 0.05, 0))
    return (Manifold.batch_boolean(rings, OpType.Add) ^ upper).translate((0, middle, 0))


def _rocker(x: float) -> Manifold:
    """A curved runner that touches the floor under the middle."""
    width = 0.045
    angle = np.linspace(-0.42, 0.42, 17)
    circle = np.stack([np.sin(angle), -np.cos(angle)], 1)
    outer, inner = ([0, ROCKER_RADIUS] + radius * circle for radius in (ROCKER_RADIUS, ROCKER_RADIUS - ROCKER_HEIGHT))
    outline = counterclockwise(np.concatenate([outer, inner[::-1]]))
    runner = Manifold.extrude(CrossSection([outline]), width)  # profile (z, y) extruded along the third axis
    return runner.rotate((0, -90, 0)).translate((x + width / 2, 0, 0))

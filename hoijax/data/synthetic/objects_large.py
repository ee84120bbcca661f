"""Furniture and other things that people sit, lie and work on, y up, the floor at y = 0 unless said, front towards +z."""

import itertools

import numpy as np
from manifold3d import Manifold

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.solids import Point, box, colored, grain, hull, lathe, merged, paint, rounded_box, tube

BENCH_HEIGHT, BENCH_DEPTH, BENCH_WIDTH = 0.45, 0.40, 1.30  # the seat reaches from z = 0, at the back, to the depth
COUCH_HEIGHT, COUCH_DEPTH, COUCH_WIDTH = 0.43, 0.42, 1.55
ARM_HEIGHT, ARM_WIDTH = 0.63, 0.17
BED = (0.95, 0.48, 2.05)  # width, height of the mattress, length
ROUND_TABLE = (0.55, 0.74)  # radius, height
CUSHION = (0.76, 0.17, 1.95)  # width, height, length of the air cushion
LAPTOP = (0.34, 0.235, 0.018)  # width, depth and thickness of the base
PACK = (0.30, 0.46, 0.17)  # width, height and depth of the backpack
LAPTOP_OPEN = 112.0  # degrees between base and screen


def bench() -> ColoredMesh:
    """A park bench of slats on two iron frames."""
    w, d, h = BENCH_WIDTH, BENCH_DEPTH, BENCH_HEIGHT
    parts = [box((-w / 2, h - 0.028, z), (w / 2, h, z + 0.098)) for z in (0.01, 0.110, 0.21, 0.302)]
    parts.append(box((-w / 2, h - 0.06, 0.01), (w / 2, h - 0.006, d)))  # between the slats lie only grooves
    parts += [box((-w / 2, y, -0.02), (w / 2, y + 0.095, 0.006)) for y in (h + 0.09, h + 0.21, h + 0.33)]
    for x in (-w / 2 + 0.14, w / 2 - 0.18):
        parts.append(box((x, h - 0.07, -0.045), (x + 0.04, h - 0.02, d - 0.005)))
        parts.append(box((x, 0, d - 0.07), (x + 0.04, h - 0.03, d - 0.03)))
        parts.append(box((x, 0, -0.055), (x + 0.04, h + 0.43, -0.018)))
        parts.append(box((x, 0.12, -0.04), (x + 0.04, 0.15, d - 0.05)))
    mesh = colored(merged(parts), 0.065, (0.55, 0.34, 0.18))
    x, y, z = mesh.verts.T
    mesh.rgb[:] = grain(mesh.verts, (0.56, 0.34, 0.18), axis=0, period=0.05, amount=0.10)
    slats = (y > h - 0.061) & (y < h + 0.001) & (z > 0.009) | (y > h + 0.085) & (z > -0.021)
    paint(mesh.rgb, ~slats, (0.13, 0.20, 0.17))
    paint(mesh.rgb, slats & (y > h + 0.20) & (y < h + 0.31) & (np.abs(x) < 0.10), (0.80, 0.68, 0.30))
    return mesh


def couch() -> ColoredMesh:
    """A two-seater of two cushions between arm rests."""
    w, d, h = COUCH_WIDTH, COUCH_DEPTH, COUCH_HEIGHT
    half, back = w / 2 - ARM_WIDTH, -0.20
    parts = [box((-w / 2 + 0.02, 0.07, back + 0.02), (w / 2 - 0.02, h - 0.10, d - 0.03))]
    parts.append(rounded_box((-w / 2, 0.07, back), (w / 2, 0.84, 0.0), 0.05))
    for s in (-1, 1):
        low, high = sorted((s * half, s * w / 2))
        parts.append(rounded_box((low, 0.07, back + 0.02), (high, ARM_HEIGHT, d), 0.05))
        low, high = sorted((0.004 * s, s * (half + 0.005)))
        parts.append(rounded_box((low, h - 0.15, -0.04), (high, h, d), 0.04))
        parts += [
            box((s * (w / 2 - 0.10) - 0.025, 0, z), (s * (w / 2 - 0.10) + 0.025, 0.10, z + 0.05))
            for z in (back + 0.05, d - 0.10)
        ]
    mesh = colored(merged(parts), 0.072, (0.62, 0.56, 0.46))
    x, y, z = mesh.verts.T
    stripes = np.floor(x / 0.07) % 2 == 0
    paint(mesh.rgb, stripes, (0.55, 0.48, 0.38))
    cushion = (y > h - 0.15) & (y < h + 0.002) & (np.abs(x) < half + 0.006) & (z > 0.002)
    paint(mesh.rgb, cushion, (0.30, 0.44, 0.42))
    paint(mesh.rgb, cushion & (x > 0), (0.36, 0.50, 0.47))
    paint(mesh.rgb, (np.abs(x) > half + 0.01) & (y > ARM_HEIGHT - 0.05), (0.50, 0.36, 0.26))
    paint(mesh.rgb, y < 0.07, (0.25, 0.16, 0.10))
    return mesh


def bed() -> ColoredMesh:
    """A single bed along the z axis about its middle, its head at -z."""
    w, h, length = BED
    x, z = w / 2, length / 2
    parts = [
        rounded_box((-x, h - 0.20, -z), (x, h, z), 0.04),
        box((-x - 0.02, h - 0.26, -z - 0.02), (x + 0.02, h - 0.14, z + 0.02)),
    ]
    parts.append(box((-x - 0.02, 0.0, -z - 0.05), (x + 0.02, 0.95, -z - 0.01)))
    parts.append(box((-x - 0.02, 0.0, z + 0.01), (x + 0.02, h - 0.05, z + 0.05)))
    mesh = colored(merged(parts), 0.085, (0.46, 0.30, 0.17))
    a, b, c = mesh.verts.T
    mesh.rgb[:] = grain(mesh.verts, (0.46, 0.30, 0.17), axis=0, period=0.08, amount=0.10)
    top = (b > h - 0.141) & (np.abs(c) < z + 0.001) & (np.abs(a) < x + 0.001)
    paint(mesh.rgb, top, (0.86, 0.85, 0.82))
    paint(mesh.rgb, top & (c > -0.35) & ((np.floor(a / 0.12) + np.floor(c / 0.12)) % 2 == 0), (0.26, 0.40, 0.62))
    paint(mesh.rgb, top & (c > -0.45) & (c < -0.35), (0.75, 0.30, 0.25))
    return mesh


def round_table() -> ColoredMesh:
    """A round dining table on one leg."""
    r, h = ROUND_TABLE
    top = [(0, h - 0.035), (r - 0.02, h - 0.035), (r, h - 0.02), (r, h - 0.005), (r - 0.006, h), (0, h)]
    leg = [(0, 0), (0.27, 0), (0.26, 0.03), (0.06, 0.06), (0.045, 0.20), (0.06, 0.45), (0.10, h - 0.03), (0, h - 0.03)]
    mesh = colored(merged([lathe(top, 48), lathe(leg, 20)]), 0.055, (0.34, 0.22, 0.14))
    x, y, z = mesh.verts.T
    plate = y > h - 0.036
    mesh.rgb[plate] = grain(mesh.verts, (0.72, 0.50, 0.30), axis=0, period=0.11, amount=0.09)[plate]
    paint(
        mesh.rgb,
        plate & (np.hypot(x, z) > 0.88 * r) & (np.floor(np.arctan2(z, x) / np.pi * 12) % 2 == 0),
        (0.88, 0.80, 0.66),
    )
    paint(mesh.rgb, plate & (np.hypot(x - 0.2, z - 0.15) < 0.12), (0.20, 0.42, 0.46))
    return mesh


def air_cushion() -> ColoredMesh:
    """An inflated mattress of five tubes along the z axis about its middle."""
    w, h, length = CUSHION
    r, count = h / 2, 5
    step = (w - h) / (count - 1)
    z = length / 2 - r
    tubes = [_capsule(-w / 2 + r + k * step, r, z) for k in range(count)]
    web = box((-w / 2 + r, 0.3 * r, -z), (w / 2 - r, 1.72 * r, z))  # so that the seams between the tubes are shallow
    pillow = hull((-w / 2 + 0.12, h - 0.02, -z + 0.04, 0.07), (w / 2 - 0.12, h - 0.02, -z + 0.04, 0.07))
    mesh = colored(merged([*tubes, web, pillow]), 0.085, (0.14, 0.52, 0.72))
    x, y, c = mesh.verts.T
    tube_index = np.clip(np.floor((x + w / 2) / (w / count)), 0, count - 1)
    paint(mesh.rgb, tube_index % 2 == 1, (0.95, 0.90, 0.30))
    paint(mesh.rgb, (c < -z + 0.12) & (y > 0.1), (0.90, 0.35, 0.25))
    paint(mesh.rgb, np.abs(c) > z + 0.03, (0.94, 0.94, 0.92))
    return mesh


def _capsule(x: float, radius: float, half: float) -> Manifold:
    balls = [Manifold.sphere(radius, 16).translate((x, radius, z)) for z in (-half, half)]
    return Manifold.batch_hull(balls)


def laptop() -> ColoredMesh:
    """An open laptop; its base lies on y = 0 about the middle, the hinge at -z."""
    w, d, t = LAPTOP
    base = box((-w / 2, 0, -d / 2), (w / 2, t, d / 2))
    screen = (
        box((-w / 2, 0, -0.009), (w / 2, 0.225, 0.0))
        .rotate((90 - LAPTOP_OPEN, 0, 0))
        .translate((0, t - 0.006, -d / 2 + 0.009))
    )
    mesh = colored(merged([base, screen]), 0.0135, (0.66, 0.67, 0.69))
    x, y, z = mesh.verts.T
    keys = (np.abs(y - t) < 1e-4) & (z > -d / 2 + 0.025) & (z < 0.03) & (np.abs(x) < w / 2 - 0.02)
    paint(mesh.rgb, keys, (0.12, 0.12, 0.13))
    pad = (np.abs(y - t) < 1e-4) & (z > 0.045) & (z < d / 2 - 0.01) & (np.abs(x) < 0.055)
    paint(mesh.rgb, pad, (0.50, 0.51, 0.53))
    lean = np.radians(LAPTOP_OPEN - 90)
    hinge = np.stack([y - t + 0.006, z + d / 2 - 0.009])
    up = hinge[0] * np.cos(lean) - hinge[1] * np.sin(lean)
    out = hinge[0] * np.sin(lean) + hinge[1] * np.cos(lean)
    face = (up > 0.02) & (up < 0.212) & (out > -1e-3) & (np.abs(x) < w / 2 - 0.012)
    paint(mesh.rgb, face, (0.12, 0.25, 0.45))
    paint(mesh.rgb, face & (up > 0.15) & (x < 0), (0.85, 0.87, 0.90))
    paint(mesh.rgb, (out < -0.008) & (up > 0.08) & (up < 0.14) & (np.abs(x) < 0.03), (0.90, 0.92, 0.94))
    return mesh


def backpack(straps: list[list[Point]], size: tuple[float, float, float]) -> ColoredMesh:
    """A backpack whose back is in the plane z = 0, its middle at the origin; `straps` are drawn as they come."""
    w, h, d = size
    body = hull(
        *(
            (sx * (w / 2 - 0.06), y, -d / 2, d / 2 - 0.01)
            for sx in (-1, 1)
            for y in (-h / 2 + d / 2, h / 2 - d / 2 - 0.03)
        )
    )
    flat = rounded_box((-w / 2, -h / 2, -d / 2), (w / 2, h / 2 - 0.04, -0.002), 0.03)
    pocket = rounded_box((-w / 2 + 0.05, -h / 2 + 0.03, -d - 0.035), (w / 2 - 0.05, 0.02, -d / 2), 0.03)
    loop: list[Point] = [
        (-0.03, h / 2 - 0.06, -0.03),
        (-0.03, h / 2 + 0.02, -0.03),
        (0.03, h / 2 + 0.02, -0.03),
        (0.03, h / 2 - 0.06, -0.03),
    ]
    belts = [_ribbon(strap, 0.018, 0.005) for strap in straps]
    mesh = colored(merged([body, flat, pocket, tube(loop, 0.009), *belts]), 0.040, (0.20, 0.34, 0.24))
    x, y, z = mesh.verts.T
    paint(mesh.rgb, z > 0.004, (0.14, 0.14, 0.15))
    paint(mesh.rgb, (z < -0.7 * d) & (y < 0.02), (0.80, 0.46, 0.16))
    paint(mesh.rgb, (z < -0.02) & (np.abs(y - 0.06) < 0.014), (0.12, 0.12, 0.13))
    paint(mesh.rgb, (z < -0.5 * d) & (y > 0.09) & (np.abs(x) < 0.05), (0.86, 0.80, 0.64))
    return mesh


def _ribbon(points: list[Point], half: float, thick: float) -> Manifold:
    """A belt through points, `half` wide to both sides along x."""
    pieces = [
        hull(*((p[0] + s * half, p[1], p[2], thick) for p in pair for s in (-1, 1)))
        for pair in itertools.pairwise(points)
    ]
    return merged(pieces)

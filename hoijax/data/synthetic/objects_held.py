"""Things that hands hold, each in its own frame: y up, metres, its front towards +z. Colours are rgb in [0, 1]."""

import numpy as np
from manifold3d import Manifold

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.solids import (
    Point,
    box,
    colored,
    grain,
    hull,
    lathe,
    merged,
    paint,
    rounded_box,
    torus,
    tube,
)

UMBRELLA_GRIP, UMBRELLA_RADIUS = 0.09, 0.016  # height of the middle of the handle, and its radius
CUP_HEIGHT, CUP_RADIUS = 0.105, 0.040
BOWL_HEIGHT, BOWL_RADIUS = 0.095, 0.14
BOOK = (0.17, 0.24, 0.016)  # width, height and thickness of each half
BOOK_OPEN = 24.0  # degrees each half rises from flat
BASKET = (0.21, 0.15, 0.19)  # half axes at the rim, and height
BASKET_GRIP, BASKET_RADIUS = 0.40, 0.013
CASE = (0.46, 0.62, 0.22)
CASE_GRIP, GRIP_RADIUS = 0.665, 0.014
POT_HEIGHT, POT_RADIUS = 0.22, 0.13
BEAR_HEIGHT = 0.46


def umbrella() -> ColoredMesh:
    """An open umbrella of eight panels; its shaft is the y axis, the handle at the bottom."""
    angle = np.linspace(0, 1.05, 9)
    top, radius = 0.98, 0.62
    outer = [(radius * np.sin(a), top - radius * (1 - np.cos(a))) for a in angle]
    inner = [(x - 0.004 * np.sin(a), y - 0.008) for (x, y), a in zip(outer, angle)]
    canopy = lathe([*outer, *inner[::-1]], 48)
    shaft = lathe([(0, 0.02), (0.007, 0.02), (0.007, top + 0.05), (0.003, top + 0.08), (0, top + 0.08)], 8)
    r = UMBRELLA_RADIUS
    handle = lathe([(0, 0), (r, 0.006), (r, 0.16), (0.010, 0.175), (0, 0.175)], 16)
    mesh = colored(merged([canopy, shaft, handle]), 0.055, (0.55, 0.55, 0.58))
    x, y, z = mesh.verts.T
    panel = np.floor(np.arctan2(z, x) / np.pi * 4 + 1e-6).astype(int) % 8
    cloth = np.array([(0.82, 0.16, 0.20), (0.95, 0.92, 0.86)])[panel % 2]
    cloth[panel == 3] = (0.12, 0.22, 0.45)
    mesh.rgb[np.hypot(x, z) > 0.02] = cloth[np.hypot(x, z) > 0.02]
    paint(mesh.rgb, y < 0.18, (0.30, 0.18, 0.10))
    return mesh


def cup() -> ColoredMesh:
    """A mug, open at the top; its handle towards +z, its bottom at y = 0."""
    h, r = CUP_HEIGHT, CUP_RADIUS
    wall = [(0, 0), (0.92 * r, 0), (r, 0.008), (r, h - 0.002), (r - 0.003, h), (r - 0.005, h - 0.003)]
    body = lathe([*wall, (r - 0.005, 0.009), (0, 0.008)], 40)
    ear = torus(0.026, 0.0055, 24).rotate((0, 0, 90)).translate((0, 0.52 * h, r + 0.008))
    mesh = colored(
        merged([body, ear - lathe([(0, 0.004), (r - 0.001, 0.004), (r - 0.001, h), (0, h)], 40)]),
        0.010,
        (0.93, 0.92, 0.88),
    )
    x, y, z = mesh.verts.T
    outside = np.hypot(x, z) > r - 0.003
    paint(mesh.rgb, outside & (np.abs(y - 0.5 * h) < 0.028) & (np.hypot(x, z) < r + 0.001), (0.16, 0.36, 0.55))
    angle = np.arctan2(z, x)
    paint(mesh.rgb, outside & (np.abs(y - 0.5 * h) < 0.014) & (np.floor(angle * 3) % 2 == 0), (0.95, 0.70, 0.20))
    paint(mesh.rgb, ~outside & (y < 0.02), (0.24, 0.14, 0.08))
    return mesh


def bowl() -> ColoredMesh:
    """A wooden salad bowl, open at the top; its bottom at y = 0."""
    h, r = BOWL_HEIGHT, BOWL_RADIUS
    angle = np.linspace(0.18, 1.0, 9) * np.pi / 2
    outer = [(r * np.sin(a), h * (1 - np.cos(a))) for a in angle]
    inner = [((r - 0.012) * np.sin(a), h - (h - 0.014) * np.cos(a)) for a in np.linspace(0, 1, 10) * np.pi / 2]
    solid = lathe([(0, 0), (0.36 * r, 0), *outer[1:], *inner[::-1]], 48)
    mesh = colored(solid, 0.018, (0.62, 0.40, 0.22))
    x, y, z = mesh.verts.T
    mesh.rgb[:] = grain(mesh.verts, (0.62, 0.40, 0.22), axis=0, period=0.024, amount=0.10)
    paint(mesh.rgb, y > h - 0.014, (0.28, 0.16, 0.10))
    paint(mesh.rgb, (y > 0.45 * h) & (y < 0.66 * h) & (np.floor(np.arctan2(z, x) * 4) % 2 == 0), (0.86, 0.76, 0.52))
    return mesh


def book() -> ColoredMesh:
    """An open book, its spine along the y axis, its pages towards +z, its lower edge at y = 0."""
    w, h, t = BOOK
    halves = []
    for sign in (1, -1):
        half = merged([box((0, 0.004, 0.004), (w - 0.004, h - 0.004, t)), box((0, 0, 0), (w, h, 0.004))])
        half = half if sign > 0 else half.mirror((1, 0, 0))
        halves.append(half.rotate((0, -sign * BOOK_OPEN, 0)))
    mesh = colored(merged(halves), 0.0125, (0.12, 0.30, 0.42))
    tilt = np.radians(BOOK_OPEN)
    along = np.abs(mesh.verts[:, 0]) * np.cos(tilt) + mesh.verts[:, 2] * np.sin(tilt)
    off = mesh.verts[:, 2] * np.cos(tilt) - np.abs(mesh.verts[:, 0]) * np.sin(tilt)
    y = mesh.verts[:, 1]
    paint(mesh.rgb, off > 0.0045, (0.90, 0.88, 0.82))
    lines = (off > t - 0.001) & (along > 0.02) & (along < w - 0.02) & (y > 0.025) & (y < h - 0.03)
    paint(mesh.rgb, lines & (np.floor(y / 0.0125) % 2 == 0), (0.45, 0.44, 0.42))
    paint(mesh.rgb, (off < 0.001) & (along > 0.04) & (along < 0.14) & (y > 0.14) & (y < 0.20), (0.90, 0.75, 0.25))
    return mesh


def basket() -> ColoredMesh:
    """A woven basket with an arched handle over the x axis; its bottom at y = 0."""
    a, b, h = BASKET
    wall = lathe([(0, 0), (0.80, 0), (1.0, h), (0.94, h), (0.76, 0.018), (0, 0.018)], 48).scale((a, 1, b))
    angle = np.linspace(0, np.pi, 15)
    arch: list[Point] = [(0.965 * a * np.cos(t), h - 0.02 + (BASKET_GRIP - h + 0.02) * np.sin(t), 0.0) for t in angle]
    mesh = colored(merged([wall, tube(arch, BASKET_RADIUS)]), 0.021, (0.70, 0.52, 0.30))
    x, y, z = mesh.verts.T
    turn = np.floor(np.arctan2(z / b, x / a) / np.pi * 18)
    weave = (np.floor(y / 0.024) + turn) % 2 == 0
    paint(mesh.rgb, weave & (y < h), (0.50, 0.34, 0.18))
    paint(mesh.rgb, (np.abs(y - 0.5 * h) < 0.022) & (y < h), (0.65, 0.20, 0.18))
    paint(mesh.rgb, y > h + 0.02, (0.42, 0.27, 0.14))
    return mesh


def suitcase(reach: float | None = None) -> ColoredMesh:
    """A hard suitcase with a grip on top; with `reach`, a trolley whose rods end at that height. The floor is at y = 0."""
    w, h, d = CASE
    foot = 0.0 if reach is None else 0.05
    parts = [rounded_box((-w / 2, foot, -d / 2), (w / 2, h, d / 2), 0.035)]
    parts += [
        box((-w / 2 + 0.05, y, -d / 2 - 0.006), (w / 2 - 0.05, y + 0.02, d / 2 + 0.006))
        for y in np.linspace(0.14, 0.5, 6)
    ]
    if reach is not None:
        for x in (-0.17, 0.17):
            parts += [hull((x - 0.012, 0.03, z, 0.03), (x + 0.012, 0.03, z, 0.03)) for z in (-0.075, 0.075)]
            parts += [box((x - 0.01, 0.03, z - 0.01), (x + 0.01, 0.09, z + 0.01)) for z in (-0.075, 0.075)]
        rods: list[Point] = [
            (-0.08, h - 0.05, -0.05),
            (-0.08, reach, -0.05),
            (0.08, reach, -0.05),
            (0.08, h - 0.05, -0.05),
        ]
        parts.append(tube(rods, 0.011))
        parts.append(tube([(-0.075, reach, -0.05), (0.075, reach, -0.05)], GRIP_RADIUS))
    else:
        parts.append(
            tube(
                [(-0.085, h - 0.03, 0), (-0.075, CASE_GRIP, 0), (0.075, CASE_GRIP, 0), (0.085, h - 0.03, 0)],
                GRIP_RADIUS,
            )
        )
    mesh = colored(merged(parts), 0.045, (0.16, 0.40, 0.50))
    x, y, z = mesh.verts.T
    paint(mesh.rgb, np.abs(z) > d / 2 + 0.002, (0.22, 0.52, 0.62))
    paint(mesh.rgb, (np.abs(z) < 0.016) & (np.abs(x) > w / 2 - 0.02), (0.75, 0.75, 0.72))
    paint(mesh.rgb, (y > h + 0.002) | (y < foot + 0.005), (0.15, 0.15, 0.16))
    paint(mesh.rgb, (z > d / 2 - 0.004) & (np.hypot(x + 0.1, y - 0.42) < 0.05), (0.92, 0.72, 0.18))
    return mesh


def potted_plant() -> ColoredMesh:
    """A clay pot with a bush of pointed leaves; its bottom at y = 0."""
    h, r = POT_HEIGHT, POT_RADIUS
    pot = lathe(
        [
            (0, 0),
            (0.70 * r, 0),
            (0.93 * r, 0.80 * h),
            (r, 0.80 * h),
            (r, h),
            (0.85 * r, h),
            (0.82 * r, 0.86 * h),
            (0, 0.86 * h),
        ],
        36,
    )
    leaves = []
    for k in range(13):
        turn, rise = 2.399963 * k, 0.35 + 0.055 * k
        length = 0.26 + 0.07 * ((k * 7) % 5) / 4
        leaf = Manifold.sphere(1.0, 12).scale((length / 2, 0.035, 0.008)).translate((length / 2, 0, 0))
        leaves.append(
            leaf.rotate((0, 0, np.degrees(rise))).rotate((0, np.degrees(turn), 0)).translate((0, 0.84 * h, 0))
        )
    mesh = colored(merged([pot, *leaves]), 0.03, (0.70, 0.36, 0.24))
    x, y, z = mesh.verts.T
    far = (y > h + 0.004) | (np.hypot(x, z) > r + 0.002)
    stripes = np.floor(np.hypot(x, z) / 0.025) % 2
    mesh.rgb[far] = np.where(stripes[far, None] == 0, (0.20, 0.45, 0.20), (0.34, 0.60, 0.28))
    paint(mesh.rgb, ~far & (y > 0.84 * h) & (np.hypot(x, z) < 0.84 * r), (0.22, 0.15, 0.11))
    paint(mesh.rgb, ~far & (np.abs(y - 0.4 * h) < 0.02), (0.90, 0.82, 0.68))
    return mesh


def teddy_bear() -> ColoredMesh:
    """A sitting plush bear that looks towards +z; its bottom at y = 0."""
    parts = [hull((0, 0.11, 0, 0.105), (0, 0.20, 0, 0.085)), Manifold.sphere(0.095, 24).translate((0, 0.345, 0.012))]
    parts.append(hull((0, 0.325, 0.075, 0.045), (0, 0.320, 0.105, 0.030)))
    for s in (-1, 1):
        parts.append(Manifold.sphere(0.036, 12).scale((1, 1, 0.6)).translate((0.075 * s, 0.425, 0.0)))
        parts.append(hull((0.075 * s, 0.235, 0.02, 0.035), (0.135 * s, 0.17, 0.075, 0.038)))
        parts.append(hull((0.065 * s, 0.06, 0.06, 0.05), (0.105 * s, 0.05, 0.155, 0.045)))
    mesh = colored(merged(parts), 0.021, (0.62, 0.42, 0.24))
    x, y, z = mesh.verts.T
    paint(mesh.rgb, (z > 0.075) & (y > 0.28) & (y < 0.36) & (np.abs(x) < 0.06), (0.85, 0.70, 0.48))
    paint(mesh.rgb, (np.hypot(x, y - 0.335) < 0.016) & (z > 0.1), (0.10, 0.08, 0.08))
    paint(mesh.rgb, (np.hypot(np.abs(x) - 0.035, y - 0.372) < 0.014) & (z > 0.06), (0.08, 0.07, 0.07))
    paint(mesh.rgb, (np.abs(y - 0.262) < 0.016), (0.75, 0.14, 0.16))
    paint(mesh.rgb, (z > 0.185) & (y < 0.1), (0.85, 0.70, 0.48))
    return mesh

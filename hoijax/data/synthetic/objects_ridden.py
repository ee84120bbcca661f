"""Animals and a bicycle: y up, metres, the floor at y = 0, heads towards +z. Colours are rgb in [0, 1]."""

import numpy as np
from manifold3d import Manifold

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.solids import Point, colored, hull, lathe, merged, paint, torus, tube

HORSE_BACK, HORSE_RADIUS = 1.12, 0.205  # height of the saddle's top and radius of the barrel under it
HORSE_GRIP = (1.24, 0.33, 0.014)  # height, forward position and radius of the reins' hand bar: the saddle's horn
DOG_BACK = 0.60
WHEEL, WHEELBASE = 0.335, 1.02  # radius of the wheels; distance of their axles
CRANK_HEIGHT, CRANK = 0.285, 0.165
SADDLE = (0.88, -0.14)  # height of its top and forward position, cranks at z = 0
HANDLEBAR = (1.04, 0.44, 0.22, 0.015)  # height, forward position, half distance of the grips, radius
PEDAL_SIDE = 0.125  # distance of the middle of a pedal from the frame
CRANK_ANGLE = 35.0  # degrees by which the left crank points down from straight ahead


def horse() -> ColoredMesh:
    """A saddled pony that stands still; over its withers a horn to hold on to."""
    r, top = HORSE_RADIUS, HORSE_BACK - 0.012
    axis = top - r
    parts = [
        _barrel(axis, r),
        hull((0, axis, -0.40, 0.20), (0, axis - 0.02, -0.52, 0.15)),
        hull((0, axis - 0.01, 0.36, 0.19), (0, axis + 0.06, 0.48, 0.15)),
    ]
    parts.append(hull((0, axis + 0.08, 0.46, 0.13), (0, top + 0.42, 0.72, 0.075)))
    parts.append(hull((0, top + 0.44, 0.73, 0.085), (0, top + 0.24, 1.00, 0.052)))
    parts += [hull((x, top + 0.50, 0.69, 0.028), (1.3 * x, top + 0.60, 0.69, 0.008)) for x in (-0.05, 0.05)]
    parts.append(hull((0, axis + 0.10, -0.62, 0.04), (0, axis - 0.10, -0.74, 0.045), (0, 0.45, -0.76, 0.02)))
    for x, z, bend in ((-0.11, 0.40, 0.03), (0.11, 0.40, 0.03), (-0.11, -0.46, -0.06), (0.11, -0.46, -0.06)):
        parts.append(hull((x, axis - 0.10, z, 0.095), (x, 0.46, z + bend, 0.055)))
        parts.append(hull((x, 0.46, z + bend, 0.055), (x, 0.10, z, 0.038)))
        parts.append(lathe([(0, 0), (0.062, 0), (0.045, 0.09), (0, 0.09)], 14).translate((x, 0, z + 0.01)))
    saddle = Manifold.cylinder(0.46, r + 0.012, circular_segments=32).translate((0, axis, -0.25))
    parts.append(saddle ^ Manifold.cube((1, r, 1), True).translate((0, axis + 0.55 * r, 0)))
    height, z, bar = HORSE_GRIP
    parts.append(tube([(0, axis + r - 0.02, 0.20), (0, height, z)], 0.020))
    parts.append(tube([(-0.16, height, z), (0.16, height, z)], bar))
    mesh = colored(merged(parts), 0.092, (0.50, 0.30, 0.17))
    x, y, z = mesh.verts.T
    patches = np.sin(9 * z + 2) * np.sin(8 * y) + 0.6 * np.sin(11 * x + 1) > 0.62
    paint(mesh.rgb, patches & (y > 0.45), (0.92, 0.88, 0.80))
    pad = (z > -0.26) & (z < 0.22) & (np.hypot(x, y - axis) > r + 0.004) & (y > axis - 0.1) & (y < top + 0.02)
    paint(mesh.rgb, pad, (0.24, 0.13, 0.08))
    paint(mesh.rgb, pad & ((z < -0.21) | (z > 0.17)), (0.72, 0.18, 0.16))
    paint(
        mesh.rgb,
        (z < -0.60) | (np.abs(x) < 0.045) & (y > top + 0.05) & (z < 0.30 + 0.72 * (y - axis)) & (z > 0.36),
        (0.16, 0.11, 0.09),
    )
    paint(mesh.rgb, y < 0.09, (0.14, 0.12, 0.11))
    paint(mesh.rgb, (y > top + 0.03) & (z < 0.36), (0.12, 0.12, 0.12))
    paint(mesh.rgb, (np.hypot(y - top - 0.47, z - 0.82) < 0.022) & (np.abs(x) > 0.05), (0.05, 0.04, 0.04))
    return mesh


def _barrel(height: float, radius: float) -> Manifold:
    return Manifold.cylinder(0.80, radius, circular_segments=32).translate((0, height, -0.42))


def dog() -> ColoredMesh:
    """A spotted dog that stands and looks ahead."""
    axis = DOG_BACK - 0.115
    parts = [
        hull((0, axis, -0.26, 0.105), (0, axis, 0.02, 0.115)),
        hull((0, axis, 0.0, 0.115), (0, axis - 0.01, 0.24, 0.125)),
    ]
    parts.append(hull((0, axis + 0.05, 0.26, 0.085), (0, axis + 0.22, 0.37, 0.065)))
    parts.append(Manifold.sphere(0.085, 20).translate((0, axis + 0.27, 0.40)))
    parts.append(hull((0, axis + 0.25, 0.46, 0.048), (0, axis + 0.225, 0.555, 0.034)))
    parts.append(hull((0, axis + 0.04, -0.33, 0.03), (0, axis + 0.14, -0.46, 0.022), (0, axis + 0.26, -0.52, 0.012)))
    for s in (-1, 1):
        parts.append(hull((0.07 * s, axis + 0.31, 0.37, 0.028), (0.105 * s, axis + 0.20, 0.38, 0.022)))
        for z, bend in ((0.22, 0.0), (-0.27, -0.05)):
            x = 0.075 * s
            parts.append(hull((x, axis - 0.04, z, 0.062), (x, 0.24, z + bend, 0.034)))
            parts.append(hull((x, 0.24, z + bend, 0.034), (x, 0.04, z, 0.024)))
            parts.append(hull((x, 0.028, z - 0.01, 0.028), (x, 0.024, z + 0.05, 0.024)))
    mesh = colored(merged(parts), 0.040, (0.84, 0.80, 0.72))
    x, y, z = mesh.verts.T
    spots = np.sin(19 * z + 3) * np.sin(23 * y + 1) + 0.7 * np.sin(25 * x) > 0.45
    paint(mesh.rgb, spots & (y > 0.2), (0.36, 0.22, 0.13))
    ears = (np.abs(x) > 0.07) & (y > axis + 0.16) & (z > 0.3)
    paint(mesh.rgb, ears | (z < -0.44), (0.30, 0.18, 0.11))
    paint(mesh.rgb, (z > 0.572) & (y > axis + 0.22), (0.06, 0.05, 0.05))
    paint(mesh.rgb, (np.hypot(y - axis - 0.30, np.abs(x) - 0.035) < 0.016) & (z > 0.44), (0.06, 0.05, 0.05))
    collar = np.abs((y - axis - 0.12) * 0.85 + (z - 0.30) * 0.5) < 0.017
    paint(mesh.rgb, collar & (z > 0.2) & (y > axis), (0.75, 0.12, 0.14))
    return mesh


def bicycle(scale: float) -> ColoredMesh:
    """A bicycle, `scale` times as large as the constants say, its cranks at z = 0, the left one forward and down."""
    rear, front = (0.0, WHEEL, -0.44), (0.0, WHEEL, WHEELBASE - 0.44)
    height, z_bar, grip, r_bar = HANDLEBAR
    seat, head, bottom = (0.0, SADDLE[0] - 0.06, SADDLE[1]), (0.0, 0.86, 0.34), (0.0, CRANK_HEIGHT, 0.0)
    parts = [Manifold.sphere(0.03, 10).translate(bottom)]
    for axle in (rear, front):
        parts += [torus(WHEEL - 0.018, 0.018, 36).rotate((0, 0, 90)).translate(axle)]
        parts += [torus(WHEEL - 0.045, 0.010, 36).rotate((0, 0, 90)).translate(axle)]
        parts.append(hull((-0.04, axle[1], axle[2], 0.022), (0.04, axle[1], axle[2], 0.022)))
        for k in range(8):
            turn = 2 * np.pi * (k + 0.3) / 8
            rim = (0.0, axle[1] + 0.29 * np.sin(turn), axle[2] + 0.29 * np.cos(turn))
            parts.append(_thin(axle, rim, 0.004))
    post = (0.0, 0.68, -0.075)
    parts += [tube([bottom, post, seat], 0.017), tube([bottom, (0.0, 0.76, 0.37)], 0.019), tube([post, head], 0.016)]
    for s in (-1, 1):
        parts += [
            tube([(0.012 * s, CRANK_HEIGHT, -0.02), (0.055 * s, WHEEL, -0.44)], 0.010),
            tube([(0.02 * s, 0.66, -0.075), (0.055 * s, WHEEL, -0.44)], 0.009),
        ]
        parts.append(tube([(0.02 * s, 0.72, 0.385), (0.052 * s, 0.60, 0.44), (0.052 * s, WHEEL, 0.58)], 0.013))
    parts.append(tube([(0, 0.72, 0.385), head, (0, height - 0.03, 0.30)], 0.018))
    bar: list[Point] = [
        (s * x, height + y, z_bar - 0.14 + z)
        for s, x, y, z in (
            (-1, grip + 0.09, 0, 0.12),
            (-1, grip - 0.08, 0, 0.14),
            (-1, 0.05, -0.03, 0.0),
            (1, 0.05, -0.03, 0.0),
            (1, grip - 0.08, 0, 0.14),
            (1, grip + 0.09, 0, 0.12),
        )
    ]
    parts.append(tube(bar, r_bar))
    parts += _cranks()
    y, z = SADDLE
    parts.append(
        hull((-0.055, y - 0.035, z - 0.07, 0.035), (0.055, y - 0.035, z - 0.07, 0.035), (0, y - 0.05, z + 0.13, 0.018))
    )
    mesh = colored(merged(parts).scale((scale, scale, scale)), 0.16, (0.75, 0.14, 0.13))
    return mesh._replace(rgb=_bicycle_rgb(mesh.verts / scale, mesh.rgb))


def pedal(side: float) -> Point:
    """Middle of a pedal, for the left (1) or the right (-1) side, of a bicycle of scale one."""
    angle = np.radians(CRANK_ANGLE)
    return side * PEDAL_SIDE, CRANK_HEIGHT - side * CRANK * float(np.sin(angle)), side * CRANK * float(np.cos(angle))


def _cranks() -> list[Manifold]:
    parts = [torus(0.085, 0.006, 24).rotate((0, 0, 90)).translate((-0.045, CRANK_HEIGHT, 0))]
    parts.append(hull((-0.06, CRANK_HEIGHT, 0, 0.016), (0.06, CRANK_HEIGHT, 0, 0.016)))
    for s in (-1.0, 1.0):
        x, y, z = pedal(s)
        parts.append(tube([(0.06 * s, CRANK_HEIGHT, 0), (0.06 * s, y, z)], 0.011))
        parts.append(hull((0.06 * s, y, z, 0.008), (1.35 * x, y, z, 0.008)))
        parts.append(Manifold.cube((0.085, 0.022, 0.09), True).translate((x, y, z)))
    return parts


def _thin(start: Point, end: Point, radius: float) -> Manifold:
    return Manifold.batch_hull([Manifold.sphere(radius, 4).translate(p) for p in (start, end)])


def _bicycle_rgb(verts: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    x, y, z = verts.T
    to_axle = np.minimum(np.hypot(y - WHEEL, z + 0.44), np.hypot(y - WHEEL, z - WHEELBASE + 0.44))
    wheel = (np.abs(x) < 0.025) & (to_axle < WHEEL + 0.002)
    paint(rgb, wheel & (to_axle < WHEEL - 0.03) & (np.abs(x) < 0.012) & ~((z > -0.25) & (z < 0.24)), (0.70, 0.71, 0.73))
    paint(rgb, wheel & (to_axle > WHEEL - 0.042), (0.10, 0.10, 0.11))
    cranks = (np.abs(x) > 0.035) & (y < 0.5) & (np.abs(z) < 0.25)
    paint(rgb, cranks, (0.20, 0.20, 0.22))
    paint(rgb, (y > SADDLE[0] - 0.075) & (z < 0.05), (0.12, 0.11, 0.11))
    paint(rgb, (y > 0.94) & (z > 0.1), (0.68, 0.69, 0.71))
    paint(rgb, (y > 0.94) & (np.abs(x) > 0.15), (0.12, 0.12, 0.12))
    return rgb

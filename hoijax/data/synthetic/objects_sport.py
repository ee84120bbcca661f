"""Things for sport, each in its own frame: y up, metres, its front towards +z. Colours are rgb in [0, 1]."""

import numpy as np
import trimesh
from manifold3d import Manifold

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.solids import box, colored, grain, hull, lathe, merged, paint, torus

RACKET_GRIP, RACKET_RADIUS = 0.09, 0.016
BAT_GRIP, BAT_RADIUS = 0.10, 0.0135
FOOTBALL_RADIUS, GYM_BALL_RADIUS = 0.11, 0.29
BAR_RADIUS, BAR_LENGTH = 0.015, 1.5
DECK = (0.80, 0.20, 0.014)  # length, width and thickness of a skateboard's deck
DECK_HEIGHT = 0.105
SURFBOARD = (2.05, 0.45, 0.060)  # length, width, thickness


def tennis_racket() -> ColoredMesh:
    """A tennis racket; its axis is y, the end of its grip at y = 0, its strings face z."""
    ring = torus(0.125, 0.010, 40).rotate((90, 0, 0)).scale((1, 1.3, 1)).translate((0, 0.515, 0))
    strings = Manifold.cylinder(0.005, 0.122, circular_segments=48).translate((0, 0, -0.0025))
    strings = strings.scale((1, 1.3, 1)).translate((0, 0.515, 0))
    throat = [hull((0, 0.23, 0, 0.010), (0.075 * s, 0.385, 0, 0.009)) for s in (-1, 1)]
    r = RACKET_RADIUS
    grip = lathe([(0, 0), (r + 0.002, 0.004), (r, 0.012), (r, 0.19), (0.011, 0.21), (0.010, 0.26), (0, 0.26)], 12)
    mesh = colored(merged([ring, strings, grip, *throat]), 0.016, (0.80, 0.82, 0.20))
    x, y, z = mesh.verts.T
    bed = (np.abs(z) < 0.004) & (np.hypot(x, (y - 0.515) / 1.3) < 0.117)
    paint(mesh.rgb, bed, (0.88, 0.88, 0.84))
    paint(mesh.rgb, bed & ((np.floor(x / 0.016) % 2 == 0) | (np.floor(y / 0.016) % 2 == 0)), (0.62, 0.62, 0.60))
    paint(mesh.rgb, ~bed & (y > 0.5), (0.12, 0.14, 0.20))
    paint(mesh.rgb, y < 0.20, (0.14, 0.14, 0.15))
    paint(mesh.rgb, (y < 0.20) & (np.floor((y + 0.3 * x) / 0.022) % 2 == 0), (0.24, 0.24, 0.26))
    return mesh


def baseball_bat() -> ColoredMesh:
    """A wooden bat; its axis is y, its knob at y = 0."""
    r = BAT_RADIUS
    outline = [
        (0, 0),
        (0.022, 0.002),
        (0.025, 0.010),
        (0.020, 0.020),
        (r, 0.028),
        (r, 0.24),
        (0.017, 0.36),
        (0.027, 0.52),
    ]
    outline += [(0.032, 0.64), (0.033, 0.80), (0.028, 0.835), (0.015, 0.845), (0, 0.846)]
    mesh = colored(lathe(outline, 24), 0.018, (0.80, 0.60, 0.36))
    y = mesh.verts[:, 1]
    mesh.rgb[:] = grain(mesh.verts, (0.80, 0.60, 0.36), axis=1, period=0.012, amount=0.10)
    paint(mesh.rgb, (y > 0.026) & (y < 0.25), (0.16, 0.16, 0.18))
    paint(mesh.rgb, (y > 0.60) & (y < 0.66) & (mesh.verts[:, 2] > 0.01), (0.70, 0.12, 0.12))
    return mesh


def football() -> ColoredMesh:
    """A football of dark and light panels about its centre."""
    ball = trimesh.creation.icosphere(subdivisions=4, radius=FOOTBALL_RADIUS)
    verts = np.array(ball.vertices, np.float64)
    corners = np.array(trimesh.creation.icosahedron().vertices)
    near = (verts / FOOTBALL_RADIUS @ corners.T / np.linalg.norm(corners, axis=1)).max(1)
    rgb = np.tile((0.94, 0.94, 0.92), (len(verts), 1))
    paint(rgb, near > np.cos(0.34), (0.10, 0.10, 0.12))
    paint(rgb, (verts @ corners[0] / np.linalg.norm(corners[0])) > 0.94 * FOOTBALL_RADIUS, (0.75, 0.12, 0.12))
    return ColoredMesh(verts, np.array(ball.faces, np.int64), rgb)


def gym_ball() -> ColoredMesh:
    """A big ball to sit on, ribbed by colour, about its centre."""
    ball = trimesh.creation.icosphere(subdivisions=4, radius=GYM_BALL_RADIUS)
    verts = np.array(ball.vertices, np.float64)
    rgb = np.tile((0.45, 0.25, 0.55), (len(verts), 1))
    height = verts[:, 1] / GYM_BALL_RADIUS
    paint(rgb, (np.floor(height * 9) % 2 == 0), (0.52, 0.31, 0.62))
    paint(rgb, np.hypot(verts[:, 0], verts[:, 1] - 0.05) + 10 * (verts[:, 2] < 0) < 0.10, (0.92, 0.90, 0.85))
    paint(rgb, np.abs(height) > 0.95, (0.25, 0.14, 0.32))
    return ColoredMesh(verts, np.array(ball.faces, np.int64), rgb)


def barbell() -> ColoredMesh:
    """A barbell along the x axis about its middle: a steel bar, and two plates at each end."""
    r, half = BAR_RADIUS, BAR_LENGTH / 2
    rod = lathe([(0, -half), (r, -half), (r, half), (0, half)], 12)
    plates = []
    for s in (-1, 1):
        for radius, start, end in ((0.19, 0.52, 0.565), (0.15, 0.57, 0.60), (0.035, 0.605, 0.635)):
            low, high = sorted((s * start, s * end))
            plates.append(
                lathe(
                    [
                        (0, low),
                        (radius - 0.01, low),
                        (radius, low + 0.01),
                        (radius, high - 0.01),
                        (radius - 0.01, high),
                        (0, high),
                    ],
                    32,
                )
            )
    mesh = colored(merged([rod, *plates]).rotate((0, 0, 90)), 0.04, (0.72, 0.73, 0.75))
    x, y, z = mesh.verts.T
    across = np.hypot(y, z)
    paint(mesh.rgb, (np.abs(x) > 0.51) & (np.abs(x) < 0.568) & (across > 0.02), (0.70, 0.12, 0.12))
    paint(mesh.rgb, (np.abs(x) > 0.568) & (np.abs(x) < 0.602) & (across > 0.02), (0.14, 0.25, 0.60))
    paint(mesh.rgb, (x > 0) & (np.abs(x) > 0.568) & (np.abs(x) < 0.602) & (across > 0.02), (0.90, 0.72, 0.15))
    paint(mesh.rgb, (np.abs(x) > 0.51) & (across > 0.08) & (across < 0.11), (0.90, 0.90, 0.88))
    return mesh


def skateboard() -> ColoredMesh:
    """A skateboard along the x axis on its wheels: the floor is at y = 0, the deck's top at DECK_HEIGHT."""
    length, width, t = DECK
    flat, top = length / 2 - 0.17, DECK_HEIGHT
    parts = [box((-flat, top - t, -width / 2), (flat, top, width / 2))]
    for s in (-1, 1):
        tip = [
            Manifold.cylinder(t, width / 2, circular_segments=32).rotate((-90, 0, 0)).translate((x, top - t, 0))
            for x in (0.0, 0.07)
        ]
        end = Manifold.batch_hull(tip).translate((0, -top + t, 0)).rotate((0, 0, 17)).translate((flat, top - t, 0))
        parts.append(end if s > 0 else end.mirror((1, 0, 0)))
        x = s * (flat - 0.04)
        parts += [hull((x, 0.027, z - 0.012, 0.027), (x, 0.027, z + 0.012, 0.027)) for z in (-0.075, 0.075)]
        parts += [
            hull((x, 0.03, -0.06, 0.010), (x, 0.03, 0.06, 0.010)),
            box((x - 0.03, 0.03, -0.02), (x + 0.03, top - 0.005, 0.02)),
        ]
    mesh = colored(merged(parts), 0.026, (0.15, 0.15, 0.16))
    x, y, z = mesh.verts.T
    paint(mesh.rgb, y < top - 0.012, (0.72, 0.74, 0.76))
    deck = (y > top - t - 0.001) & ((np.abs(x) > flat - 0.01) | (y < top - 0.004)) | (np.abs(x) > flat)
    paint(mesh.rgb, deck & (y < top + 0.3 * (np.abs(x) - flat).clip(0) - 0.004), (0.86, 0.62, 0.30))
    paint(mesh.rgb, (y < 0.056) & (np.abs(z) > 0.06), (0.92, 0.86, 0.70))
    paint(mesh.rgb, (y > top - 0.003) & (np.abs(x - 0.1) < 0.05), (0.75, 0.20, 0.15))
    return mesh


def surfboard() -> ColoredMesh:
    """A surfboard upright along the y axis about its middle, nose up, its deck towards +z, fins behind."""
    length, width, thick = SURFBOARD
    t = np.linspace(-1, 1, 41)
    half = width / 2 * np.clip(1 - np.abs(t) ** 2.4, 0, None) ** 0.62 * (1 - 0.10 * t)
    points = []
    for inset, z in ((0.0, 0.0), (0.014, thick / 2 - 0.008), (0.045, thick / 2)):
        for sign in (-1, 1):
            x = np.clip(half - inset, 0.001, None)
            y = t * (length / 2 - inset)
            points += [np.stack([s * x, y, np.full(len(t), sign * z)], 1) for s in (-1, 1)]
    board = Manifold.hull_points(np.concatenate(points))
    fins = [
        hull((x, y, -0.03, 0.004), (x, y - 0.09, -0.03, 0.004), (x, y - 0.09, -0.115, 0.004))
        for x, y in ((0, -0.80), (-0.11, -0.68), (0.11, -0.68))
    ]
    mesh = colored(merged([board, *fins]), 0.048, (0.95, 0.94, 0.90))
    x, y, z = mesh.verts.T
    paint(mesh.rgb, y > 0.45, (0.15, 0.50, 0.66))
    paint(mesh.rgb, (y > 0.36) & (y < 0.45), (0.92, 0.55, 0.18))
    paint(mesh.rgb, (y < -0.55) & (z > 0), (0.20, 0.20, 0.22))
    paint(mesh.rgb, (np.abs(x) < 0.02) & (np.abs(z) > 0.02) & (y < 0.36), (0.55, 0.36, 0.22))
    paint(mesh.rgb, z < -0.036, (0.10, 0.16, 0.40))
    return mesh

"""What a camera adds to a clean picture: light by day and at dusk, blur, sensor noise, JPEG blocks."""

import io

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from hoijax.data.synthetic.compose import Light

DUSK = 1 / 3  # share of the scenes that are taken at dusk
BLUR_PX = (0.2, 0.9)  # standard deviation of defocus
MOTION_PX = (2.0, 5.0)  # length of the streak where the camera moved, in one of four pictures
SHOT, READ = (0.006, 0.020), (0.004, 0.014)  # noise that grows with the light's root, and that does not, of 1
QUALITY = (45, 92)  # of JPEG


def drawn_light(rng: np.random.Generator) -> Light:
    """Day: a high sun, nearly white. Dusk: a low orange sun from the side, little of a blue sky."""
    side = float(rng.choice([-1.0, 1.0]))
    if rng.random() < DUSK:
        strength = rng.uniform(0.45, 0.75)
        sun = strength * np.array([1.25, rng.uniform(0.72, 0.88), rng.uniform(0.42, 0.60)])
        sky = rng.uniform(0.40, 0.60) * np.array([0.86, 0.94, 1.22])
        return Light(side * rng.uniform(0.5, 1.0), rng.uniform(0.22, 0.45), rng.uniform(0.3, 0.8), _rgb(sun), _rgb(sky))
    sun = rng.uniform(0.85, 1.05) * np.array([1.0, rng.uniform(0.94, 0.98), rng.uniform(0.84, 0.94)])
    sky = rng.uniform(0.85, 1.1) * np.array([0.92, 0.96, 1.04])
    return Light(side * rng.uniform(0.1, 0.9), rng.uniform(0.6, 1.1), rng.uniform(0.2, 0.9), _rgb(sun), _rgb(sky))


def _rgb(color: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    red, green, blue = color.tolist()
    return red, green, blue


def photograph(image: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """The picture out of focus or shaken, noisy, and after JPEG."""
    light = np.asarray(cv2.GaussianBlur((image / 255.0) ** 2.2, (0, 0), rng.uniform(*BLUR_PX)))
    if rng.random() < 0.25:
        streak = _streak(rng.uniform(*MOTION_PX), rng.uniform(0, np.pi))
        light = np.asarray(cv2.filter2D(light, -1, streak, borderType=cv2.BORDER_REPLICATE))
    light = light + rng.uniform(*SHOT) * np.sqrt(light) * rng.normal(size=light.shape)
    noisy = np.clip(light, 0, 1) ** (1 / 2.2) + rng.uniform(*READ) * rng.normal(size=light.shape)
    file = io.BytesIO()
    quality = int(rng.integers(QUALITY[0], QUALITY[1] + 1))
    Image.fromarray((np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8)).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _streak(length: float, angle: float, size: int = 9) -> Float[np.ndarray, "n n"]:
    """The kernel of a straight movement, its sum one."""
    kernel = np.zeros((size, size))
    along = np.linspace(-0.5, 0.5, 64)[:, None] * length * np.array([np.cos(angle), np.sin(angle)])
    np.add.at(kernel, tuple(np.round(along + size // 2).astype(int).T), 1.0)
    return kernel / kernel.sum()

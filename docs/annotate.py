"""Joins the pictures of the three tools to docs/annotate.jpg: python docs/annotate.py"""

from pathlib import Path

import cv2
import numpy as np

HEIGHT, GAP = 520, 10  # pixels


def main() -> None:
    """Reads and writes beside this file."""
    folder, row = Path(__file__).parent, []
    for name in ("filter", "contact", "fine"):
        picture = cv2.imread(str(folder / f"annotate_{name}.png"))
        assert picture is not None, name
        h, w = picture.shape[:2]
        row += [cv2.resize(picture, (w * HEIGHT // h, HEIGHT), interpolation=cv2.INTER_AREA)]
        row += [np.full((HEIGHT, GAP, 3), 255, np.uint8)]
    cv2.imwrite(str(folder / "annotate.jpg"), np.hstack(row[:-1]), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()

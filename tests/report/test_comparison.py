"""The comparison picture: what stands in which cell."""

import io

import cv2
import numpy as np

from hoijax.report.comparison import Line, State, comparison, truth_state


def drawn(lines: list[Line]) -> np.ndarray:
    file = io.BytesIO()
    comparison(lines).savefig(file, format="png")
    picture = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    return picture.astype(int)


def test_each_column_shows_its_own(sample, result) -> None:
    states = {
        "annotation": truth_state(sample),
        "fitted": State(result.human, result.object, {"chamfer_cm": 1.5}),
        "missing": None,
    }
    picture = drawn([Line(sample, states), Line(sample._replace(truth=None), {"annotation": None, **states})])
    cells = np.array_split(picture, 4, axis=1)
    red, green, blue = (np.stack([cell[..., k].ravel()[: cells[-1][..., 0].size] for cell in cells]) for k in range(3))
    orange = ((red - blue > 90) & (red - green > 35)).sum(1)
    greenish = ((green > 150) & (green - red > 25) & (green - blue > 15)).sum(1)  # brighter than the photograph
    assert orange[2] > 2000
    assert orange[0] == orange[1] == orange[3] == 0
    assert greenish[1] > 2000
    assert greenish[2] == greenish[3] == 0


def test_an_object_far_off_does_not_shrink_the_side_view(sample, result) -> None:
    far = result.object._replace(verts=result.object.verts + np.array([0.0, 0.0, 50.0]))
    near = drawn([Line(sample, {"a": State(result.human, result.object, {})})])
    away = drawn([Line(sample, {"a": State(result.human, far, {})})])
    red, green, blue = (np.stack([near, away])[..., k] for k in range(3))
    person = ((blue - red > 40) & (blue - green > 10))[:, near.shape[0] // 2 :].sum((1, 2))
    assert person[1] > 0.2 * person[0] > 0

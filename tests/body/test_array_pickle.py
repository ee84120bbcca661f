"""Pickles of arrays are read, whatever numpy and Python wrote them; anything that could run is refused."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from hoijax.body.array_pickle import unpickled


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_in_containers_come_back(protocol: int) -> None:
    content = {"pose": np.linspace(0, 1, 156), "names": ["a", ("b", 2.5)], "scalar": np.float32(3), "none": None}
    found = unpickled(io.BytesIO(pickle.dumps(content, protocol)))
    np.testing.assert_array_equal(found["pose"], content["pose"])
    assert found["scalar"] == 3
    assert (found["names"], found["none"]) == (content["names"], None)
    sparse = unpickled(io.BytesIO(pickle.dumps(scipy.sparse.csc_matrix(np.eye(3)), protocol)))
    np.testing.assert_array_equal(sparse.toarray(), np.eye(3))


class Attack:
    """Unpickled by the standard unpickler, this would create a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.mkdir, (self.path,)


def test_what_would_run_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected nothing but numpy arrays"):
        unpickled(io.BytesIO(pickle.dumps([Attack(tmp_path / "made")])))
    for name in (b"cos\nsystem\n(S'true'\ntR.", b"cbuiltins\neval\n(S'1'\ntR.", b"cnumpy\nload\n(S'x'\ntR."):
        with pytest.raises(ValueError, match="its pickle names"):
            unpickled(io.BytesIO(name))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x80\x04", pickle.dumps(np.zeros(99))[:-40]])
def test_damaged_pickles_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a readable pickle"):
        unpickled(io.BytesIO(content))

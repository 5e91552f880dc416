"""Running TFLite files."""

from pathlib import Path

import numpy as np
import pytest

from modules import litert


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"no TFLite model at {tmp_path}/none"):
        litert.make_interpreter(str(tmp_path / "none"))


@pytest.mark.parametrize("content", [b"", b"no model at all, but long enough to be one"])
def test_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        litert.make_interpreter(str(tmp_path / "model"))


def test_predictions_do_not_depend_on_the_batches(
    models_dir: str, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch has its own results, though the interpreter reuses its memory."""
    at_once = litert.predict(f"{models_dir}/tflite", images)
    assert (at_once.shape, at_once.dtype) == ((200, 10), np.float32)
    monkeypatch.setattr(litert, "_BATCH_SIZE", 64)
    in_batches = litert.predict(f"{models_dir}/tflite", images[:192], num_threads=2)
    np.testing.assert_allclose(in_batches, at_once[:192], atol=1e-5)
    assert len(np.unique(at_once, axis=0)) == 200


def test_loaded_for_one_image(models_dir: str, images: np.ndarray) -> None:
    run = litert.load(f"{models_dir}/tflite")
    expected = litert.predict(f"{models_dir}/tflite", images[:3])
    for row in range(3):
        np.testing.assert_allclose(run(images[row : row + 1]), expected[row : row + 1], atol=1e-5)

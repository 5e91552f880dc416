"""A sample of the examples, which depends on nothing but them."""

from pathlib import Path

import numpy as np
import pytest

from modules.examples import tf_examples
from tests.modules.examples.example_files import GREY, Serialize, draw_rows, make_rows, write


@pytest.mark.parametrize("count", [1, 7, 52, 60])
def test_sample_is_the_same_however_the_examples_are_spread(
    tmp_path: Path,
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    """Equal examples are one; none is drawn twice, and each with its label."""
    rows = make_rows()
    write(tmp_path / "one" / "a", [serialize(*row) for row in rows])
    order = np.random.default_rng(1).permutation([*range(len(rows)), 7, 7, 20])
    for name, share in (("a", order[:26]), ("b", order[26:40]), ("c", order[40:])):
        write(tmp_path / "two" / name, [serialize(*rows[row]) for row in share])
    images, labels = tf_examples.load_sample([str(tmp_path / "one" / "*")], count)
    assert (images.dtype, images.shape, labels.dtype, labels.shape) == (
        (np.float32, (min(count, 52), 784), np.int64, (min(count, 52),))
    )
    places = {(image.tobytes(), label): place for place, (image, label) in enumerate(rows)}
    found = [places[image.tobytes(), label] for image, label in zip(images, labels, strict=True)]
    assert len(set(found)) == len(found)
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", 3)
    again = tf_examples.load_sample([str(tmp_path / "two" / "*")], count)
    np.testing.assert_array_equal(again[0], images)
    np.testing.assert_array_equal(again[1], labels)


def test_sample_is_drawn_from_all_files_at_random(tmp_path: Path, serialize: Serialize) -> None:
    write(tmp_path / "a", [serialize(*row) for row in draw_rows(GREY, 400)])
    _, labels = tf_examples.load_sample([str(tmp_path / "*")], 100)
    assert labels.mean() == pytest.approx(200, abs=30)  # 2.6 standard deviations
    assert np.any(np.diff(labels) < 0)
    assert np.bincount(labels // 100).tolist() == pytest.approx([25] * 4, abs=10)

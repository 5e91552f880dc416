"""What logits say of images."""

import numpy as np
import pytest

from pipeline.verdict import answers


def test_cross_entropy_is_that_of_the_softmax() -> None:
    logits = np.array([[0.0, 0.0], [1e4, 0.0], [0.0, 3.0]], np.float32)
    found = answers.cross_entropies(logits, np.array([1, 1, 1]))
    assert found == pytest.approx([np.log(2), 1e4, np.log1p(np.exp(-3))])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_of_no_number_is_none(value: float) -> None:
    found = answers.cross_entropies(np.array([[value, 0.0]], np.float32), np.array([0]))
    assert np.isnan(found).all()


def test_right_and_agreeing_by_the_largest_logit() -> None:
    logits = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    assert answers.is_right(logits, np.array([0, 2, 2])).tolist() == [True, False, True]
    assert answers.agreement(logits, 3 * logits) == 1
    assert answers.agreement(logits, logits[[0, 0, 2]]) == pytest.approx(2 / 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("tie", "expected"), [(0.0, 0.5), (0.09, 0.5), (0.11, 0.75), (9, 1.0)])
def test_classes_that_the_reference_hardly_tells_apart_count_as_one(
    tie: float, expected: float
) -> None:
    reference = np.array([[2, 0], [0, 2], [2, 1.9], [0.5, 1.5]], np.float32)
    spread = reference.std()
    others = np.array([[1, 0], [0, 1], [0, 1], [1, 0]], np.float32)
    assert answers.agreement(reference, others, tie / spread) == expected
    damaged = np.full_like(reference, np.nan)
    assert answers.agreement(reference, damaged, tie / spread) < 1 or expected == 1


@pytest.mark.filterwarnings("error")
def test_logits_vary_when_more_than_rounding_tells_images_apart() -> None:
    constant = np.tile(np.array([3.0, -2.0], np.float32), (5, 1))
    assert not answers.vary(constant)
    assert not answers.vary(np.zeros((5, 2), np.float32))
    rounded, other = constant.copy(), constant.copy()
    rounded[2, 0] = np.nextafter(np.float32(3), np.float32(4))
    other[2, 1] += 0.01
    assert not answers.vary(rounded)
    assert answers.vary(other)
    assert answers.vary(constant[:1])
    other[3, 0] = np.nan
    assert answers.vary(other)

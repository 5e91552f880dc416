"""What logits say of images: which are right, how wrong they are, whether they are the same."""

import numpy as np

# Between logits of the same network that only rounding tells apart, as a part of the largest.
_ROUNDING = 1e-5


def is_right(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns bool[N]: where the argmax of float32[N, classes] is the label, of int64[N]."""
    return logits.argmax(axis=1) == labels


def agreement(reference_logits: np.ndarray, logits: np.ndarray, tie: float = 0.0) -> float:
    """Returns the share of rows of two float32[N, classes] that have the same argmax.

    Args:
      reference_logits: of the reference.
      logits: of another model.
      tie: classes count as one where the reference's logits are no further apart, in units of the
        standard deviation of all of them.
    """
    rows, chosen = np.arange(len(logits)), logits.argmax(axis=1)
    is_same = reference_logits.argmax(axis=1) == chosen
    with np.errstate(all="ignore"):  # a NaN is close to nothing
        margins = reference_logits.max(axis=1) - reference_logits[rows, chosen]
        is_same |= margins <= tie * reference_logits.std()
    return float(np.mean(is_same))


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the cross-entropy float64[N] in nats of float32[N, classes] for int64[N]."""
    real = logits.astype(np.float64)
    with np.errstate(all="ignore"):  # a NaN stays one
        highest = real.max(axis=1)
        total = np.log(np.exp(real - highest[:, np.newaxis]).sum(axis=1)) + highest
        return total - real[np.arange(len(labels)), labels]


def vary(logits: np.ndarray) -> bool:
    """Returns whether float32[N, classes] differ between images by more than rounding.

    Of a single image nobody can tell: then it is True.
    """
    real = logits.astype(np.float64)
    with np.errstate(all="ignore"):  # a NaN is no constant
        ranges, largest = real.max(axis=0) - real.min(axis=0), np.abs(real).max()
        return len(real) == 1 or not bool((ranges <= _ROUNDING * largest).all())

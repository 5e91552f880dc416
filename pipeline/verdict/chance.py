"""What chance alone does to counts of images: intervals, and how likely it is to show as much."""

import math

import numpy as np
from scipy import stats

_INTERVAL_CONFIDENCE = 0.95


def accuracy_interval(right: int, images: int) -> tuple[float, float]:
    """Returns Wilson's interval for a share: where that of all such images is, with 95 % certainty.

    See https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval. Unlike the one from
    the normal distribution, it holds for a handful of images and for shares of 0 and 1.

    Args:
      right: images that count.
      images: all of them, at least one.
    """
    found = stats.binomtest(right, images).proportion_ci(_INTERVAL_CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def of_losing(lost: int, gained: int) -> float:
    """Returns how likely a model that is as good as another loses so many images to it or more.

    The exact one-sided sign test, which McNemar's is for two models on the same images: of those
    that only one of them gets right, each is as likely the one's as the other's.

    Args:
      lost: images that only the other model gets right.
      gained: images that only this model gets right.
    """
    if not lost:
        return 1.0
    return float(stats.binomtest(lost, lost + gained, 0.5, alternative="greater").pvalue)


def of_missing(missed: int, images: int, share: float) -> float:
    """Returns how likely a model that misses a share of all images misses so many here or more.

    The exact one-sided binomial test. One image is no evidence of anything: for it, this is 1.

    Args:
      missed: of the images, such as those that it gets wrong.
      images: all of them.
      share: of all such images, in [0, 1].
    """
    if missed < 2:
        return 1.0
    return float(stats.binomtest(missed, images, share, alternative="greater").pvalue)


def most_missed(images: int, share: float, least_chance: float) -> int:
    """Returns the largest count for which `of_missing` is above `least_chance`."""
    return min(images, max(1, round(float(stats.binom.isf(least_chance, images, share)))))


def of_mean(values: np.ndarray) -> float:
    """Returns how likely values whose true mean is 0 have one as far from 0: Student's t test.

    Args:
      values: float64[N]. A single one is no evidence: for it, this is 1.
    """
    if len(values) < 2:
        return 1.0
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    if not error:
        return float(mean == 0)
    return float(2 * stats.t.sf(abs(mean) / error, len(values) - 1))

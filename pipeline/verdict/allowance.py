"""What the limits allow on sets that are too small for shares, and what chance excuses there."""

import dataclasses
from collections.abc import Callable

import numpy as np

from pipeline.verdict import chance
from pipeline.verdict.checks import Check, Direction
from pipeline.verdict.limits import Limits

_LEAST_DIFFERENCE = 1e-6  # between shares: metrics come as float32


def most_missed(images: int, share: float, limits: Limits) -> float:
    """Returns how many of so many images may be missed, where a limit allows a share of all such.

    That is the share of them, or where this is hardly an image what chance makes of it, but no more
    than `excused_images`.
    """
    allowed = share * images
    if not 0 < allowed < limits.excused_images:
        return allowed
    explained = chance.most_missed(images, share, 1 - limits.confidence)
    return max(allowed, min(limits.excused_images, explained))


def least_accuracy(images: int, limits: Limits) -> float:
    """Returns the accuracy on so many images below which a model is refused in any case."""
    return 1 - most_missed(images, 1 - limits.min_accuracy, limits) / images


def largest_drop(images: int, limits: Limits) -> float:
    """Returns the loss of accuracy against the last model beyond which one is refused in any case.

    The two are of different trainings: which images each got right is not known.
    """
    allowed = limits.max_drop_from_last * images
    if not 0 < allowed < limits.excused_images:
        return limits.max_drop_from_last
    return min(1.0, limits.excused_images / images)


def check_share(name: str, value: float, limit: float, images: int, furthest: float) -> Check:
    """Returns a check of a share.

    Args:
      name: of the check.
      value: the share that was found.
      limit: as it stands.
      images: of which it is a share.
      furthest: what the value may be on so few images, if the limit is too fine for them.
    """
    check = Check(name, value, limit, images)
    if check.passed or abs(furthest - limit) < _LEAST_DIFFERENCE:
        return check
    beyond = value - furthest if check.direction == Direction.AT_MOST else furthest - value
    return dataclasses.replace(check, within_chance=beyond <= _LEAST_DIFFERENCE)


def check_lost(
    name: str,
    value: float,
    limit: float,
    right: tuple[np.ndarray, np.ndarray],
    limits: Limits,
) -> Check:
    """Returns a check of the accuracy that a model loses against the reference on the same images.

    Args:
      name: of the check.
      value: the loss, a difference of shares, as the Evaluators measured it.
      limit: as it stands.
      right: bool[N], which images the reference and the model get right.
      limits: with the confidence that is asked for.
    """
    theirs, ours = right
    lost, gained = int(np.sum(theirs & ~ours)), int(np.sum(ours & ~theirs))
    return check_counts(name, value, limit, (lost, gained, len(ours)), limits)


def check_counts(
    name: str, value: float, limit: float, counts: tuple[int, int, int], limits: Limits
) -> Check:
    """Returns the same check of what was counted before.

    Args:
      name: of the check.
      value: the loss, a difference of shares.
      limit: as it stands.
      counts: images that only the reference gets right, that only the model does, and all of them.
      limits: with the confidence that is asked for.
    """
    lost, gained, images = counts
    # Chance excuses nothing where the Evaluators counted something else.
    is_counted = abs(value * images - (lost - gained)) < 0.5
    return _excused(
        Check(name, value, limit, images),
        limits,
        lambda: chance.of_losing(lost, gained) if is_counted else 0.0,
    )


def check_mean(
    name: str, value: float, limit: float, differences: np.ndarray, limits: Limits
) -> Check:
    """Returns a check of a mean over the images.

    Args:
      name: of the check.
      value: its absolute value.
      limit: as it stands.
      differences: float64[N], what it is the mean of.
      limits: with the confidence that is asked for.
    """
    return _excused(Check(name, value, limit), limits, lambda: chance.of_mean(differences))


def _excused(check: Check, limits: Limits, explained: Callable[[], float]) -> Check:
    """Marks a check beyond its limit if that is not less likely than the confidence asks for."""
    if check.passed or not np.isfinite(check.value):
        return check
    return dataclasses.replace(check, within_chance=explained() > 1 - limits.confidence)

"""A check: one value against its limit, and what came of it."""

import dataclasses
import enum
import math
from collections.abc import Iterable

from pydantic import computed_field


class Direction(enum.StrEnum):
    """On which side of its limit a value passes."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    MUST_BE = "must be"


class Unit(enum.Enum):
    """What the value and the limit of a check count."""

    COUNT = enum.auto()
    SHARE = enum.auto()  # in [0, 1]
    SHARE_DIFFERENCE = enum.auto()
    LOGIT_SPREAD = enum.auto()  # standard deviations of the reference's logits
    NATS = enum.auto()
    BYTES = enum.auto()
    MICROSECONDS = enum.auto()


class Outcome(enum.StrEnum):
    """What came of a check, or of all checks of a model."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "not enough images to tell"


_FROM_GOOD_TO_BAD = (Outcome.PASSED, Outcome.UNDECIDED, Outcome.FAILED)

# Checks that say more of a network than by how much it is beyond a limit.
VARYING_LOGITS, MIN_LEARNED = "varying_logits", "min_learned_accuracy"
# The check of a device model's file: 1 when it is whole, what was checked, and its recipe's.
SOUND_FILE = "sound_file"
MAX_UNDECIDED = "max_undecided_checks"

UNITS = {
    "max_altered_files": Unit.COUNT,
    MIN_LEARNED: Unit.SHARE,
    "min_accuracy": Unit.SHARE,
    "max_drop_from_last": Unit.SHARE_DIFFERENCE,
    "max_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_class_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_hard_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_loss_difference": Unit.NATS,
    "min_agreement": Unit.SHARE,
    "max_logit_scale_error": Unit.SHARE,
    "max_class_logit_shift": Unit.LOGIT_SPREAD,
    "max_rms_logit_difference": Unit.LOGIT_SPREAD,
    "max_logit_difference": Unit.LOGIT_SPREAD,
    "max_nonfinite_answers": Unit.COUNT,
    "max_alone_difference": Unit.LOGIT_SPREAD,
    "max_evaluation_difference": Unit.NATS,
    "max_contradictions": Unit.COUNT,
    "max_bytes": Unit.BYTES,
    "max_latency_us": Unit.MICROSECONDS,
    "max_failed_runtimes": Unit.COUNT,
    "min_runtime_agreement": Unit.SHARE,
    "max_runtime_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_runtime_logit_difference": Unit.LOGIT_SPREAD,
    "max_loss_of_anybody": Unit.SHARE_DIFFERENCE,
    "max_forgotten": Unit.SHARE_DIFFERENCE,
    "min_gain": Unit.SHARE_DIFFERENCE,
    "min_new_symbols": Unit.SHARE,
    "max_step_us": Unit.MICROSECONDS,
    MAX_UNDECIDED: Unit.COUNT,
}


@dataclasses.dataclass(frozen=True)
class Check:
    """One value against its limit. The name says the direction: `min_`, `max_`, or neither.

    Attributes:
      name: of what is checked.
      value: what was found; a count stays an integer in the file.
      limit: what decides.
      images: of how many images the value is a share; None where it is of another kind.
      within_chance: the value is beyond the limit, but on so few images that chance may well have
        done as much.
      detail: what else there is to tell of it, such as who was worst; "" for nothing.
    """

    name: str
    value: int | float
    limit: int | float
    images: int | None = None
    within_chance: bool = False
    detail: str = ""

    @property
    def direction(self) -> Direction:
        """On which side of the limit the value passes."""
        sides = {"min": Direction.AT_LEAST, "max": Direction.AT_MOST}
        return sides.get(self.name.partition("_")[0], Direction.MUST_BE)

    @property
    def unit(self) -> Unit | None:
        """What value and limit count; None for a check that is 1 for yes or 0 for no."""
        return UNITS.get(self.name)

    @computed_field
    @property
    def passed(self) -> bool:
        """Whether the value is within its limit; a NaN never is."""
        value, limit = self.value, self.limit
        sides = {Direction.AT_LEAST: value >= limit, Direction.AT_MOST: value <= limit}
        return bool(sides.get(self.direction, value == limit))

    @property
    def outcome(self) -> Outcome:
        """What came of it."""
        if self.passed:
            return Outcome.PASSED
        return Outcome.UNDECIDED if self.within_chance else Outcome.FAILED


def worst(checks: Iterable[Check]) -> Check:
    """Returns that of the checks of one name which came off worst, then that furthest from passing.

    Raises:
      ValueError: there is none.
    """

    def badness(check: Check) -> tuple[int, float]:
        excess = check.value - check.limit
        if check.direction == Direction.AT_LEAST:
            excess = -excess
        return _FROM_GOOD_TO_BAD.index(check.outcome), math.inf if math.isnan(excess) else excess

    return max(checks, key=badness)

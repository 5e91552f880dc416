"""Words and numbers of the report: how values and limits are spelled."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipeline.verdict.checks import (
    MAX_UNDECIDED,
    MIN_LEARNED,
    SOUND_FILE,
    VARYING_LOGITS,
    Check,
    Direction,
    Unit,
)

_THIN_SPACE = "\u202f"


def number(value: float | None, form: str = ".4g") -> str:
    """Formats a number; a missing one is a dash."""
    text = "\u2013" if value is None else format(value, form)
    return text.replace("-", "\u2212").replace("nan", "NaN")


def share(value: float | None, digits: int = 2) -> str:
    """Returns a share in [0, 1] as a percentage."""
    if value is None or not math.isfinite(value):
        return number(value)
    return number(100 * value, f"z.{digits}f") + f"{_THIN_SPACE}%"


def points(value: float | None, digits: int = 2) -> str:
    """Returns a difference of two shares in percentage points, without the unit."""
    return number(None if value is None else 100 * value, f"z.{digits}f")


def interval(ends: tuple[float, float] | None) -> str:
    """Returns from where to where a share may be, as percentages."""
    if ends is None:
        return number(None)
    low, high = (number(100 * end, "z.2f") for end in ends)
    return f"{low}\u2013{high}{_THIN_SPACE}%"


def short(text: str, length: int = 30) -> str:
    """Returns a name of the user's on one line, less its middle where it is longer."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    tail = (length - 1) // 2
    return f"{line[: length - 1 - tail]}\u2026{line[-tail:]}"


def image_kind(shape: Sequence[int]) -> str:
    """Says what images of a height, width and channels are: `28 x 28 pixels, grey`."""
    height, width, channels = shape
    return f"{height} \u00d7 {width} pixels, {'grey' if channels == 1 else 'in colours'}"


def size(num_bytes: float | None, digits: int | None = None) -> str:
    """Returns a size in KiB, or in MiB from one MiB on."""
    if num_bytes is None:
        return number(None)
    kib = num_bytes / 1024
    if kib < 1024:
        return number(kib, f",.{1 if digits is None else digits}f") + f"{_THIN_SPACE}KiB"
    return number(kib / 1024, f",.{2 if digits is None else digits}f") + f"{_THIN_SPACE}MiB"


def seconds(value: float) -> str:
    """Returns a time in seconds, in three digits or all before the point."""
    if value < 0.05:
        return f"<{_THIN_SPACE}0.1{_THIN_SPACE}s"
    return number(value, ",.0f" if value >= 99.95 else ".1f") + f"{_THIN_SPACE}s"


def _nats(value: float, digits: int) -> str:
    return number(value, f"z.{digits}f")


def _plain(value: float, digits: int) -> str:
    return number(value, f".{digits}g")


def _count(value: float, digits: int) -> str:
    return number(value, ",.0f")


def _yes_or_no(value: float, digits: int) -> str:
    return "yes" if value else "no"


class _Form(NamedTuple):
    """How values of a unit are spelled.

    Attributes:
      spell: a finite value with so many digits, at least.
      digits: for `spell`; more are shown where value and limit would look alike.
      suffix: what `spell` does not say of the unit.
    """

    spell: Callable[[float, int], str]
    digits: int
    suffix: str = ""


_FORMS = {
    Unit.COUNT: _Form(_count, 0),
    Unit.SHARE: _Form(share, 2),
    Unit.SHARE_DIFFERENCE: _Form(points, 2, "points"),
    Unit.LOGIT_SPREAD: _Form(points, 2, "% of their spread"),
    Unit.NATS: _Form(_nats, 4, "nats"),
    Unit.BYTES: _Form(size, 2),
    Unit.MICROSECONDS: _Form(_plain, 4, "µs"),
}
# What is measured, by the name of the check, in the order of the page's table.
TITLES = {
    VARYING_LOGITS: "logits that depend on the image",
    MIN_LEARNED: "lower end of the SavedModel's accuracy, against always naming one class",
    "evaluator_blessing": "blessing by TFX's Evaluator",
    SOUND_FILE: "file whole, as it was checked, and of its recipe",
    "max_altered_files": "files altered since they were checked",
    "min_accuracy": "accuracy on the test set",
    "max_drop_from_last": "accuracy lost against the last blessed model",
    "max_accuracy_drop": "accuracy lost against the reference",
    "max_class_accuracy_drop": "accuracy lost in the worst class",
    "max_hard_accuracy_drop": "accuracy lost on the hard set",
    "max_loss_difference": "difference in loss to the reference",
    "min_agreement": "agreement with the reference",
    "max_logit_scale_error": "steeper or flatter logits than the reference's",
    "max_class_logit_shift": "shift of the logits of the worst class",
    "max_rms_logit_difference": "root mean square difference of the logits",
    "max_logit_difference": "largest difference of a logit",
    "max_nonfinite_answers": "answers that are NaN or infinite",
    "max_alone_difference": "largest difference of a logit between an image alone and among others",
    "max_evaluation_difference": "difference of the loss to what the Evaluator measured",
    "max_contradictions": "answers that do not follow from their logits",
    "max_bytes": "size",
    "max_latency_us": "time of one image",
    "max_failed_runtimes": "runtimes that fail over the file",
    "min_runtime_agreement": "agreement with XNNPACK in the worst runtime",
    "max_runtime_accuracy_drop": "accuracy lost against XNNPACK in the worst runtime",
    "max_runtime_logit_difference": "largest difference of a logit between XNNPACK and a runtime",
    "min_gain": "what people gain who start low",
    "max_loss_of_anybody": "the most that somebody loses",
    "max_forgotten": "accuracy lost on images as they are",
    "min_new_symbols": "accuracy on new symbols",
    "max_step_us": "time of a training step",
    MAX_UNDECIDED: "checks that too few images decide",
}


def suffix(check: Check) -> str:
    """Returns what the value and the limit of a check do not say of their unit."""
    return _form(check).suffix


def measured(check: Check) -> tuple[str, str]:
    """Returns a check's value and its limit, in as many digits as tell them apart."""
    spell, digits, _ = _form(check)
    both = (check.value, check.limit)
    values = [value for value in both if math.isfinite(value)]
    while digits < 6 and len({spell(value, digits) for value in values}) < len(set(values)):
        digits += 1
    found, limit = (
        spell(value, digits) if math.isfinite(value) else number(value) for value in both
    )
    return found, limit


def sentence(check: Check) -> str:
    """Says what a check found and wanted, as `93.13 %, at least 97.00 %`, and its detail."""
    found, limit = (f"{text} {suffix(check)}".rstrip() for text in measured(check))
    if check.images and math.isfinite(check.value):
        found += f" ({round(check.value * check.images):,} of {check.images:,} images)"
    detail = f" ({check.detail})" if check.detail else ""
    return f"{found}, {check.direction} {limit}{detail}"


def _form(check: Check) -> _Form:
    is_answer = check.direction == Direction.MUST_BE
    return _Form(_yes_or_no, 0) if is_answer else _FORMS.get(check.unit, _Form(_plain, 4))

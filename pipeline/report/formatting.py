"""Words and numbers of the report: how values, limits and verdicts are spelled."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


@dataclasses.dataclass(frozen=True)
class Check:
    """How a check of comparison.json is shown.

    Attributes:
      title: what is measured; empty for one that this file does not know.
      form: spells a finite value with so many digits, at least.
      digits: for `form`; more are shown where value and limit would look alike.
      unit: of what `form` returns, when that does not say it.
    """

    title: str = ""
    form: Callable[[float, int], str] = _plain
    digits: int = 4
    unit: str = ""


BLESSING, SOUND_FILE = "evaluator_blessing", "sound_file"  # checks without a value: 0 or 1
CHECKS = {
    BLESSING: Check("blessing by TFX's Evaluator"),
    SOUND_FILE: Check("file whole, as it was checked, and of its recipe"),
    "max_altered_files": Check("files altered since they were checked", _plain, 0),
    "min_accuracy": Check("accuracy on the test set", share, 2),
    "max_drop_from_last": Check(
        "accuracy lost against the last blessed model", points, 2, "points"
    ),
    "max_accuracy_drop": Check("accuracy lost against the reference", points, 2, "points"),
    "max_class_accuracy_drop": Check("accuracy lost in the worst class", points, 2, "points"),
    "max_hard_accuracy_drop": Check("accuracy lost on the hard set", points, 2, "points"),
    "max_loss_difference": Check("difference in loss to the reference", _nats, 4, "nats"),
    "min_agreement": Check("agreement with the reference", share, 2),
    "max_logit_scale_error": Check("steeper or flatter logits than the reference's", share, 2),
    "max_class_logit_shift": Check(
        "shift of the logits of the worst class", points, 2, "% of their spread"
    ),
    "max_rms_logit_difference": Check(
        "root mean square difference of the logits", points, 2, "% of their spread"
    ),
    "max_logit_difference": Check("largest difference of a logit", points, 2, "% of their spread"),
    "max_nonfinite_answers": Check("answers that are NaN or infinite", _plain, 0),
    "max_alone_difference": Check(
        "largest difference of a logit between an image alone and among others",
        points,
        2,
        "% of their spread",
    ),
    "max_evaluation_difference": Check(
        "difference of the loss to what the Evaluator measured", _nats, 4, "nats"
    ),
    "max_contradictions": Check("answers that do not follow from their logits", _plain, 0),
    "max_bytes": Check("size", size, 2),
    "max_latency_us": Check("time of one image", _plain, 4, "µs"),
}


def measured(check: Mapping[str, Any]) -> tuple[str, str]:
    """Returns a check's value and its limit, the latter with the side on which it passes."""
    value, limit = check["value"], check["limit"]
    if check["name"] in (BLESSING, SOUND_FILE):
        return "yes" if check["passed"] else "no", "must be yes"
    known = CHECKS.get(check["name"], Check())
    digits = known.digits
    values = [v for v in (value, limit) if v is not None and math.isfinite(v)]
    while digits < 6 and len({known.form(v, digits) for v in values}) < len(set(values)):
        digits += 1
    found, bound = (
        known.form(v, digits) if v is not None and math.isfinite(v) else number(v)
        for v in (value, limit)
    )
    return found, f"{'at most' if check['name'].startswith('max_') else 'at least'} {bound}"


def with_unit(check: Mapping[str, Any]) -> tuple[str, str]:
    """Returns what `measured` does, with the unit, for where no heading says it."""
    unit = CHECKS.get(check["name"], Check()).unit
    found, wanted = measured(check)
    return (f"{found} {unit}", f"{wanted} {unit}") if unit else (found, wanted)


def failure(check: Mapping[str, Any]) -> str:
    """Says what a failed check found and what it wanted."""
    if check["name"] == BLESSING:
        return "TFX's Evaluator did not bless it"
    title = CHECKS.get(check["name"], Check()).title or check["name"]
    found, wanted = with_unit(check)
    return f"{title} is {found} ({wanted} is {'allowed' if 'at most' in wanted else 'needed'})"


def reasons(model: Mapping[str, Any]) -> list[str]:
    """Says why a model is not blessed; nothing of one that is."""
    if model["refused"]:
        return [f"refused: {model['refused']}"]
    return [failure(check) for check in model["checks"] if not check["passed"]]


def headline(models: Sequence[Mapping[str, Any]]) -> str:
    """Says in one clause how many models were pushed."""
    pushed = sum(bool(model["pushed_to"]) for model in models)
    if pushed == len(models):
        return "Every model passed its checks and was pushed"
    return f"{pushed or 'None'} of {len(models)} models {'was' if pushed < 2 else 'were'} pushed"

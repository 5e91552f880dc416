"""What the report concludes, in sentences: what is wrong with the network, or with a model."""

from collections.abc import Mapping, Sequence

from pipeline.report import formatting
from pipeline.verdict.checks import MIN_LEARNED, VARYING_LOGITS, Check
from pipeline.verdict.verdict import JudgedModel, Verdict

# Why a model is not pushed, where its numbers beside are of no interest.
_UNFIT = {VARYING_LOGITS: "the network is constant", MIN_LEARNED: "the network did not learn"}


def reasons(model: JudgedModel) -> list[str]:
    """Says why a model is not blessed; nothing of one that is."""
    if model.refused:
        return [f"refused: {model.refused}"]
    unfit = [_UNFIT[check.name] for check in model.failed_checks if check.name in _UNFIT]
    return unfit[:1] or _titled(model.failed_checks)


def doubts(model: JudgedModel) -> list[str]:
    """Says what of a blessed model is beyond a limit on too few images to tell."""
    return _titled(model.undecided_checks) if model.blessed else []


def _titled(checks: Sequence[Check]) -> list[str]:
    return [
        f"{formatting.TITLES.get(check.name, check.name)}: {formatting.sentence(check)}"
        for check in checks
    ]


def diagnosis(verdict: Verdict) -> str | None:
    """Says in one sentence what is wrong with the network itself, None if nothing is."""
    reference = verdict.models[0]
    failed = {check.name: check for check in reference.failed_checks}
    if VARYING_LOGITS in failed:
        return "The network is constant: it gives every image the same logits."
    if MIN_LEARNED not in failed:
        return None
    most_frequent = failed[MIN_LEARNED].limit
    if most_frequent == 1:
        return "All test images are of one class: whether the network learned cannot be told."
    found, least = (formatting.share(each) for each in (reference.metrics.accuracy, most_frequent))
    return (
        f"The network did not learn: it gets {found} of the test images right, and always naming "
        f"the most frequent class {least}."
    )


def conversion(model: JudgedModel) -> list[str]:
    """Says what is particular about how a device model was made."""
    if not model.conversion:
        return []
    known = model.conversion
    found = []
    if known.undelegated:
        found.append(f"XNNPACK leaves to TFLite's own kernels: {_layers(known.undelegated)}")
    if known.kept_in_float:
        found.append(f"stays in floats: {_layers(known.kept_in_float)}")
    if known.fixed_batch:
        found.append(f"takes {known.fixed_batch} at once, no more and no less")
    return found


def _layers(by_operator: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(
        f"{operator} ({', '.join(layers)})" if layers else operator
        for operator, layers in by_operator.items()
    )


def headline(models: Sequence[JudgedModel]) -> str:
    """Says in one clause how many models were pushed."""
    pushed = sum(bool(model.pushed_to) for model in models)
    if pushed < len(models):
        were = "was" if pushed < 2 else "were"
        return f"{pushed or 'None'} of {len(models)} models {were} pushed"
    doubtful = sum(bool(doubts(model)) for model in models)
    if doubtful:
        have = "has" if doubtful == 1 else "have"
        return f"Every model was pushed; {doubtful} {have} checks that too few images decide"
    return "Every model passed its checks and was pushed"

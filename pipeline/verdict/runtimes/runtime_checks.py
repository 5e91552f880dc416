"""What a device model has to pass besides: the same answers in every runtime."""

import dataclasses

from modules.inference.runtimes.catalogue import STANDARD
from pipeline.verdict import allowance
from pipeline.verdict.checks import Check, worst
from pipeline.verdict.device_checks import ratio
from pipeline.verdict.limits import Limits
from pipeline.verdict.runtimes.compared import ComparedFile, RuntimeMetrics


def runtime_checks(name: str, compared: ComparedFile, limits: Limits) -> list[Check]:
    """Returns the checks of a device model in other runtimes, against XNNPACK on the same images.

    Each is of the runtime that is worst off, which its `detail` names with the first image on which
    the class is another one. Where only XNNPACK was run, only failures count, and what is advisory
    counts nowhere.

    Args:
      name: of the model's recipe.
      compared: what the runtimes say.
      limits: what decides.
    """
    failures = [each for each in compared.failed if each not in limits.advisory_runtimes]
    reasons = "; ".join(compared.not_run[each] for each in failures)
    failed = Check("max_failed_runtimes", len(failures), 0, detail=reasons)
    others = {
        runtime: found
        for runtime, found in compared.runtimes.items()
        if runtime not in (STANDARD, *limits.advisory_runtimes)
    }
    if not others:
        return [failed]
    expected = compared.runtimes[STANDARD]
    by_runtime = [_of_one(name, found, expected, compared, limits) for found in others.values()]
    kinds = (
        [
            dataclasses.replace(check, detail=_detail(runtime, found))
            for check, (runtime, found) in zip(checks, others.items(), strict=True)
        ]
        for checks in zip(*by_runtime, strict=True)
    )
    return [failed, *(worst(checks) for checks in kinds)]


def _of_one(
    name: str,
    found: RuntimeMetrics,
    expected: RuntimeMetrics,
    compared: ComparedFile,
    limits: Limits,
) -> tuple[Check, Check, Check]:
    missed = allowance.most_missed(found.images, 1 - limits.min_runtime_agreement, limits)
    return (
        allowance.check_share(
            "min_runtime_agreement",
            found.agreement_but_for_ties,
            limits.min_runtime_agreement,
            found.images,
            furthest=1 - missed / found.images,
        ),
        allowance.check_counts(
            "max_runtime_accuracy_drop",
            round(expected.accuracy - found.accuracy, 6),
            limits.max_runtime_accuracy_drop,
            (found.lost, found.gained, found.images),
            limits,
        ),
        Check(
            "max_runtime_logit_difference",
            ratio(found.max_logit_difference, compared.logit_spread or 0.0),
            limits.variants[name].max_runtime_logit_difference,
        ),
    )


def _detail(runtime: str, found: RuntimeMetrics) -> str:
    first = found.first_difference
    if first is None:
        return runtime
    return (
        f"{runtime}, which first differs on test image {first.image}: class {first.found} instead "
        f"of {first.expected}"
    )

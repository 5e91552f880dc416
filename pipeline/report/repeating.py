"""The command that repeats a run, for those who read its report."""

import shlex

from data import digits
from data.catalogue import CATALOGUE
from data.task import written_size
from modules.export.recipes import RECIPES
from pipeline.verdict.verdict import Verdict

_DEFAULT_MODEL = "cnn"


def command(verdict: Verdict) -> str:
    """Returns the command that makes the same models from the same data."""
    name, size = verdict.dataset.name, verdict.dataset.image_size
    if size:
        name = name.removesuffix(f"-{written_size(size)}")
    known = digits.TASK if name == digits.TASK.name else None
    if name in CATALOGUE:
        known = CATALOGUE[name].task
    settings: dict[str, str | int | float] = {"DATASET": name if known else f"<folder of {name}>"}
    if size:
        settings["IMAGE_SIZE"] = written_size(size)
    if verdict.model != _DEFAULT_MODEL:
        settings["MODEL"] = verdict.model
    if verdict.params:
        settings["PARAMS"] = verdict.params
    if verdict.batch_sizes:
        settings["BATCH_SIZES"] = ",".join(map(str, verdict.batch_sizes))
    settings |= {"EPOCHS": verdict.epochs, "SEED": verdict.seed}
    if verdict.trials:
        settings["TRIALS"] = verdict.trials
    for check in verdict.models[0].checks:
        if check.name == "min_accuracy" and not (known and check.limit == known.min_accuracy):
            settings["MIN_ACCURACY"] = check.limit
    limits = {check.name: check.limit for model in verdict.models for check in model.checks}
    if "max_latency_us" in limits:
        settings["MAX_LATENCY_US"] = limits["max_latency_us"]
    variants = [model.name for model in verdict.models[1:]]
    if variants != list(RECIPES):
        settings["RECIPES"] = ",".join(variants)
    return " ".join(["make run", *(f"{key}={shlex.quote(str(v))}" for key, v in settings.items())])

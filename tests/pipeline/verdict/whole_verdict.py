"""A verdict with everything in it, and what it is in `comparison.json`."""

from typing import Any

from data.task import Task
from pipeline.verdict.checks import Check
from pipeline.verdict.judge import refuse
from pipeline.verdict.measured import Refused
from pipeline.verdict.runtimes.compared import Difference, RuntimeMetrics
from pipeline.verdict.verdict import (
    BATCH_1,
    REFERENCE,
    Conversion,
    Dataset,
    HardMetrics,
    JudgedModel,
    Latency,
    Metrics,
    Training,
    Verdict,
)

JUDGED = JudgedModel(
    name=REFERENCE,
    model_type="tf_generic",
    bytes=3_400_192,
    metrics=Metrics(0.985, 0.0651),
    accuracy_interval=(0.98, 0.99),
    per_class_accuracy={"0": 1.0},
    agreement=1.0,
    max_abs_logit_difference=0.0,
    hard=HardMetrics(0.912, 0.3125, agreement=1.0),
    latency_us={BATCH_1: Latency(100.0, 120.5)},
    checks=(
        Check("min_accuracy", 0.985, 0.97, 200),
        Check("max_contradictions", 1, 0),
        Check("min_agreement", 0.99, 0.999, 200, within_chance=True, detail="tflm"),
    ),
    conversion=Conversion({"SUM": ("norm",)}, {}, fixed_batch=1),
    runtimes={
        "tflm": RuntimeMetrics(200, 0.98, 0.99, 0.995, 2, 1, 13, 0.5, 2.25, Difference(7, 1, 1, 0))
    },
    runtimes_not_run={"jvm": "jvm needs java"},
    refused=None,
    pushed_to="/srv/17",
)
TRAINING = Training(
    dataset=Dataset("fruit-20x30", 60_000, 10_000, (20, 30)),
    task=Task("fruit", (20, 30, 3), ("apple", "pear"), title="Fruit"),
    model="vit",
    seed=3,
    epochs=4,
    trials=0,
    params="trained.npz",
    batch_sizes=(1, 16),
    notes=("No test image is of 'pear'.",),
)
FOUND = Verdict.of(
    TRAINING,
    [JUDGED, refuse(Refused("int8", None, "there is no kernel"))],
    {"jax": "0.10.2"},
)


def check(
    name: str,
    value: float,
    limit: float,
    images: int | None = None,
    within_chance: bool = False,
    passed: bool = False,
    detail: str = "",
) -> dict[str, Any]:
    """A check as it is in the file."""
    return {
        "name": name,
        "value": value,
        "limit": limit,
        "images": images,
        "within_chance": within_chance,
        "detail": detail,
        "passed": passed,
    }


CONTENT = {
    "schema_version": 2,
    "title": "Fruit",
    "model": "vit",
    "image_shape": [20, 30, 3],
    "label_names": ["apple", "pear"],
    "reference": "saved_model",
    "models": [
        {
            "name": "saved_model",
            "model_type": "tf_generic",
            "bytes": 3400192,
            "metrics": {"accuracy": 0.985, "loss": 0.0651},
            "accuracy_interval": [0.98, 0.99],
            "per_class_accuracy": {"0": 1.0},
            "agreement": 1.0,
            "max_abs_logit_difference": 0.0,
            "hard": {"accuracy": 0.912, "loss": 0.3125, "agreement": 1.0},
            "latency_us": {"batch_1": {"p50": 100.0, "p90": 120.5}},
            "checks": [
                check("min_accuracy", 0.985, 0.97, images=200, passed=True),
                check("max_contradictions", 1, 0),
                check("min_agreement", 0.99, 0.999, images=200, within_chance=True, detail="tflm"),
            ],
            "conversion": {
                "undelegated": {"SUM": ["norm"]},
                "kept_in_float": {},
                "fixed_batch": 1,
            },
            "runtimes": {
                "tflm": {
                    "images": 200,
                    "accuracy": 0.98,
                    "agreement": 0.99,
                    "agreement_but_for_ties": 0.995,
                    "lost": 2,
                    "gained": 1,
                    "max_step_difference": 13,
                    "max_logit_difference": 0.5,
                    "ms_per_image": 2.25,
                    "first_difference": {"image": 7, "label": 1, "expected": 1, "found": 0},
                }
            },
            "runtimes_not_run": {"jvm": "jvm needs java"},
            "refused": None,
            "pushed_to": "/srv/17",
            "blessed": False,
            "outcome": "failed",
        },
        {
            "name": "int8",
            "model_type": "tf_lite",
            "bytes": None,
            "metrics": {"accuracy": None, "loss": None},
            "accuracy_interval": None,
            "per_class_accuracy": {},
            "agreement": None,
            "max_abs_logit_difference": None,
            "hard": {"accuracy": None, "loss": None, "agreement": None},
            "latency_us": {"batch_1": {"p50": None, "p90": None}},
            "checks": [check("sound_file", 0.0, 1.0)],
            "conversion": None,
            "runtimes": {},
            "runtimes_not_run": {},
            "refused": "there is no kernel",
            "pushed_to": None,
            "blessed": False,
            "outcome": "failed",
        },
    ],
    "dataset": {
        "name": "fruit-20x30",
        "train_examples": 60000,
        "eval_examples": 10000,
        "image_size": [20, 30],
    },
    "notes": ["No test image is of 'pear'."],
    "params": "trained.npz",
    "batch_sizes": [1, 16],
    "seed": 3,
    "epochs": 4,
    "trials": 0,
    "versions": {"jax": "0.10.2"},
    "personal": None,
}

"""What simulated people gained of a personal model, and whether it may ship."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from modules.inference.personal.manifest import Manifest
from modules.inference.personal.simulation import Simulated
from pipeline.verdict.checks import Check
from pipeline.verdict.personal.limits import PersonalLimits

FILE = "personal.json"


@dataclasses.dataclass(frozen=True)
class Personal:
    """What a report says of a personal model. Accuracies are means over people.

    Attributes:
      head, optimizer: what is trained, and how.
      bytes: of the file.
      step_us: median time of a training step on one thread, in microseconds.
      people: how many were simulated.
      before: accuracy on people's own images before they taught the model.
      after: the same by the number of samples.
      plain_before: accuracy on plain images.
      plain: the same by the number of samples that were learnt meanwhile.
      new_symbols: accuracy on new symbols; None where the model has no outputs for them.
      checks: against the limits.
      refused: why there is no such model; the rest is empty then.
      pushed_to: where it was pushed to.
    """

    head: str
    optimizer: str
    bytes: int = 0
    step_us: float = 0.0
    people: int = 0
    before: float = 0.0
    after: Mapping[int, float] = dataclasses.field(default_factory=dict)
    plain_before: float = 0.0
    plain: Mapping[int, float] = dataclasses.field(default_factory=dict)
    new_symbols: float | None = None
    checks: tuple[Check, ...] = ()
    refused: str | None = None
    pushed_to: str | None = None

    @property
    def blessed(self) -> bool:
        """Whether it may ship."""
        return self.refused is None and all(check.passed for check in self.checks)


_FORM = TypeAdapter(Personal)


def judge(
    simulated: Simulated,
    limits: PersonalLimits,
    samples: Sequence[int],
    about: Manifest,
    step_us: float,
) -> Personal:
    """Returns what people gained, with the checks.

    Args:
      simulated: what came of them.
      limits: that decide.
      samples: for which there are results.
      about: the model.
      step_us: time of a step.
    """
    outcomes = simulated.outcomes
    gains = simulated.gains(limits.samples)
    below = simulated.gains(limits.samples, limits.started_below)
    symbols = [each.accuracy for each in simulated.symbols]
    checks = [
        Check("max_loss_of_anybody", max(0.0, float(-gains.min())), limits.max_loss),
        Check(
            "max_forgotten",
            max(0.0, float(simulated.forgotten(limits.samples).mean())),
            limits.max_forgotten,
        ),
    ]
    if len(below):
        checks.append(Check("min_gain", float(below.mean()), limits.min_gain))
    if symbols:
        checks.append(Check("min_new_symbols", float(np.mean(symbols)), limits.min_new_symbols))
    if limits.max_step_us is not None:
        checks.append(Check("max_step_us", step_us, limits.max_step_us))
    return Personal(
        head=about.head,
        optimizer=about.optimizer,
        bytes=about.bytes,
        step_us=step_us,
        people=len(outcomes),
        before=float(np.mean([each.before for each in outcomes])),
        after={n: float(np.mean([each.after[n] for each in outcomes])) for n in samples},
        plain_before=simulated.plain_before,
        plain={n: float(np.mean([each.plain[n] for each in outcomes])) for n in samples},
        new_symbols=float(np.mean(symbols)) if symbols else None,
        checks=tuple(checks),
    )


def write(personal: Personal, folder: Path) -> None:
    """Writes FILE into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(_FORM.dump_python(personal, mode="json"), indent=2))


def read(folder: Path) -> Personal:
    """Returns what `write` wrote."""
    return _FORM.validate_json((folder / FILE).read_bytes())

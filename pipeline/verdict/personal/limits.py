"""What a personal model must reach to be pushed."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PersonalLimits:
    """What a personal model must reach to be pushed, and on how many people. Shares in [0, 1].

    Attributes:
      people: that are simulated.
      samples: of a person, by which the model is judged.
      started_below: who starts below this accuracy has something to gain.
      min_gain: what these gain at the mean.
      max_loss: what anybody may lose.
      max_forgotten: what the accuracy on plain images may lose, at the mean.
      min_new_symbols: accuracy on new symbols after 20 samples of each, at the mean.
      max_step_us: median time of a training step on one thread; None for no limit.
    """

    people: int = 30
    samples: int = 50
    started_below: float = 0.95
    min_gain: float = 0.03
    max_loss: float = 0.01
    max_forgotten: float = 0.01
    min_new_symbols: float = 0.9
    max_step_us: float | None = None

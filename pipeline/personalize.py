"""From the trained model to one that is trained on the device: made, tried by people, pushed."""

import dataclasses
import json
from collections.abc import Mapping

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types import BaseChannel

from modules.training.job import TrainingJob
from pipeline.components.people import People
from pipeline.components.personalizer import Personalizer
from pipeline.config import PipelineConfig
from pipeline.ship import pusher_of


@dataclasses.dataclass(frozen=True)
class Personalizing:
    """The components of `personalize`, and what the Report takes of them; none where it is off."""

    components: tuple[BaseComponent, ...] = ()
    reported: Mapping[str, BaseChannel] = dataclasses.field(default_factory=dict)


def personalize(
    config: PipelineConfig,
    job: TrainingJob,
    examples: BaseChannel,
    transform_graph: BaseChannel,
    model: BaseChannel,
) -> Personalizing:
    """Returns the components that make a personal model, try it and push it.

    Args:
      config: of the pipeline; `config.personalize` says what to make.
      job: the Trainer's.
      examples: with the splits train and eval.
      transform_graph: the one that the Trainer was given.
      model: the Trainer's.
    """
    if not config.personalize:
        return Personalizing()
    head, optimizer = config.personalize
    personalizer = Personalizer(
        examples=examples,
        transform_graph=transform_graph,
        model=model,
        job=json.dumps(job.to_config()),
        head=head,
        optimizer=optimizer,
    )
    people = People(
        examples=examples,
        personal_model=personalizer.outputs["personal_model"],
        head=head,
        optimizer=optimizer,
        limits=json.dumps(dataclasses.asdict(config.personal_limits)),
    )
    push = pusher_of(
        config,
        personalizer.outputs["personal_model"],
        people.outputs["blessing"],
        config.personal_dir,
    ).with_id("Pusher.personal")
    return Personalizing(
        (personalizer, people, push),
        {"personal": people.outputs["evaluation"], "personal_push": push.outputs["pushed_model"]},
    )

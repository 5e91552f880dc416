"""Which images the example gets."""

import dataclasses

import numpy as np
import pytest

from apps.micro import samples
from apps.micro.writing import Found
from data.errors import ConfigError


def test_images_of_new_classes_come_first_and_wrong_ones_last() -> None:
    for labels, said, expected in (
        ([7, 7, 1, 0, 2], [7, 7, 3, 0, 2], (0, 3, 4)),
        ([0, 0, 1, 0], [0, 0, 1, 0], (0, 2, 1)),  # two classes
        ([4, 4, 5, 5], [4, 4, 0, 0], (0, 1, 2)),  # rather twice the same
        ([1, 2], [2, 1], (0, 1)),  # no more there
    ):
        assert samples._chosen(np.array(labels), np.array(said)) == expected


def test_the_data_set_must_be_the_model_s(settings: dict[str, str], found: Found) -> None:
    task = dataclasses.replace(found.task, label_names=tuple("abcdefghij"))
    with pytest.raises(ConfigError, match=r"DATASET=digits: expected the data set that .* made of"):
        samples.choose(settings, task, found.model)


def test_a_data_set_of_one_s_own_has_to_be_given(settings: dict[str, str], found: Found) -> None:
    task = dataclasses.replace(found.task, name="cats")
    with pytest.raises(ConfigError, match="DATASET is not set, and 'cats' is no data set"):
        samples.choose({**settings, "DATASET": ""}, task, found.model)


def test_without_a_setting_the_name_of_the_task_says_which(
    settings: dict[str, str], found: Found
) -> None:
    chosen = samples.choose({**settings, "DATASET": "auto"}, found.task, found.model)
    assert chosen.places == found.samples.places

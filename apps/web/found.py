"""What the page is made of: the pushed device models, and a package that can be taught."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path

from modules.inference.personal import manifest
from modules.inference.personal.errors import PersonalError
from serve.client import package, personal
from serve.client.package import Package


@dataclasses.dataclass(frozen=True)
class Found:
    """What the settings lead to.

    Attributes:
      device: the newest device package; its `version` is a folder.
      personal: the folder of a personal package of the same images and labels; None without one.
      no_personal: a sentence that says why there is none, and how to make it; "" where there is.
    """

    device: Package
    personal: Path | None
    no_personal: str

    @property
    def device_folder(self) -> Path:
        """Where `model.json` and the models lie."""
        assert self.device.version is not None  # as no server was asked for
        return self.device.version

    @property
    def personal_files(self) -> tuple[str, ...]:
        """The names of the personal package's files; none without one."""
        return manifest.file_names(self.personal) if self.personal else ()


def find(environment: Mapping[str, str]) -> Found:
    """Finds both by the settings DATASET, IMAGE_SIZE, OUTPUT and PUSH_TO.

    Raises:
      ConfigError: there are no device models.
    """
    device = package.find(environment, False)
    assert device.version is not None
    wanted = " ".join(
        f"{name}={shlex.quote(value)}"
        for name in ("DATASET", "IMAGE_SIZE", "OUTPUT")
        if (value := environment.get(name))
    )
    make = f"`make personalize {wanted}`" if wanted else "`make personalize`"
    for folder in personal.folders(device):
        try:
            says = manifest.read(folder)
        except PersonalError as error:
            return Found(device, None, f"{error}, or make another with {make}.")
        ours = device.task.image_shape, device.task.label_names
        if (says.task.image_shape, says.label_names) == ours:
            return Found(device, folder, "")
        why = f"{folder} is of other images or labels than the device models; {make} makes one."
        return Found(device, None, why)
    return Found(device, None, f"There is no model that can be taught yet: {make} makes one.")

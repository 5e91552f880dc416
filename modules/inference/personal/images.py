"""Images as a personal model takes them."""

import numpy as np

from data.task import Task
from modules.inference.personal.errors import PersonalError


def as_floats(image: np.ndarray, task: Task) -> np.ndarray:
    """Returns an image as float32[pixels] in [0, 1].

    Args:
      image: uint8, or floats in [0, 1]; of the task's shape, or flat.
      task: whose image it is.

    Raises:
      PersonalError: it has another shape or type, or numbers that are not from 0 to 1.
    """
    image = np.asarray(image)
    if image.shape not in (task.image_shape, (task.num_pixels,)):
        raise PersonalError(
            f"the image has shape {list(image.shape)}, expected {list(task.image_shape)} or "
            f"[{task.num_pixels}]"
        )
    if image.dtype == np.uint8:
        return image.reshape(-1).astype(np.float32) / np.float32(255)
    if image.dtype.kind != "f":
        raise PersonalError(f"the image is {image.dtype}, expected uint8, or floats from 0 to 1")
    if not ((image >= 0) & (image <= 1)).all():
        worst = image.min(), image.max()
        raise PersonalError(
            f"the image has numbers from {worst[0]} to {worst[1]}, expected 0 to 1 without NaN"
        )
    return image.reshape(-1).astype(np.float32)

"""Images that are easy to tell apart, for networks of any kind."""

import numpy as np

from data.task import Task

TASK = Task("patterns", (16, 16, 3), ("ant", "bee", "cat", "dog", "elk", "fox", "gnu"))


def make_patterns(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns a pattern for each class, under noise: float32[count, 768] in [0, 1]; labels int[N].

    Each class comes again after all the others.
    """
    random = np.random.default_rng(3)
    height, width, channels = TASK.image_shape
    patterns = random.random((TASK.num_classes, height // 4, width // 4, channels))
    large = np.kron(patterns, np.ones((1, 4, 4, 1)))
    labels = np.arange(count) % TASK.num_classes
    noise = random.random((count, height, width, channels))
    pixels = 0.7 * large[labels] + 0.3 * noise
    return pixels.reshape((count, -1)).astype(np.float32), labels

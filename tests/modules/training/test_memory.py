"""The memory that a training takes of the process it runs in, from the files of examples on."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from data.files import PROJECT_ROOT
from data.task import Task

_EXAMPLES_A_FILE = 2000
_FILES = 50
_PIXELS = _FILES * _EXAMPLES_A_FILE * 784  # bytes as they are kept; four times that as floats
_LIMIT = 24 * 2**20  # of what is kept in memory, when it does not fit
_SOME_FILES_MORE = 96 * 2**20  # buffers and compiled programs; some 70 MiB were seen
# So that glibc gives back what is freed, and a peak does not depend on what was there before.
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}


def test_peak_is_at_most_one_and_a_half_times_what_may_be_kept(
    tmp_path: Path, serialize: Callable[[np.ndarray, int], bytes], tft_output: tft.TFTransformOutput
) -> None:
    """Read, sorted, digested, normalised, trained and validated on, and drawn.

    Nothing of that may have all images once more, neither as bytes nor as floats.
    """
    folder = tmp_path / "examples"
    folder.mkdir()
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (_EXAMPLES_A_FILE, 784)).astype(np.float32) / np.float32(255)
    with tf.io.TFRecordWriter(str(folder / "0"), "GZIP") as writer:
        for label, image in enumerate(pixels):
            writer.write(serialize(image, label % 10))
    for number in range(1, _FILES):
        (folder / str(number)).symlink_to(folder / "0")
    graph = Path(tft_output.transform_savedmodel_dir).parent
    done = subprocess.run(
        [sys.executable, "-m", "tests.modules.training.test_memory", folder, graph],
        cwd=PROJECT_ROOT,
        env={**os.environ, **_MALLOC},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, in_file, in_memory = json.loads(done.stdout.splitlines()[-1])
    assert in_file - first < 1.5 * _LIMIT + _SOME_FILES_MORE
    assert in_memory - in_file < 1.5 * _PIXELS


def main(folder: str, graph: str) -> None:
    """Prints the peaks, in bytes, after a training on one file, and on all in a file and not."""
    from modules.examples import tf_examples
    from modules.models import pure
    from modules.models.network import Network
    from modules.training import visible
    from modules.training.config import TrainConfig
    from modules.training.job import TrainingJob
    from modules.training.saved import checkpoints

    # A network of one layer: what is measured are the images.
    model = pure(
        lambda key, task: {"kernel": np.zeros((task.num_pixels, task.num_classes), np.float32)},
        lambda params, images: images.reshape((len(images), -1)) @ params["kernel"],
    )
    network = Network(model, Task("digits", (28, 28, 1), tuple("0123456789")))
    peaks = []
    normalizer = tf_examples.normalizer(tft.TFTransformOutput(graph))
    for files, limit in (("0", _LIMIT), ("*", _LIMIT), ("*", 2 * _PIXELS)):
        config = TrainConfig(epochs=1, max_bytes=limit, learning_rate=1e-4, validation_share=0.5)
        raw_images, labels = tf_examples.load_raw([os.path.join(folder, files)], limit)
        images = raw_images.then(normalizer)
        checkpoints.training_key(images, labels, TrainingJob(network.task, "mine.py", config))
        visible.train(network, images, labels, config, f"{folder}-log")
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10)
        del raw_images, images
    print(json.dumps(peaks))


if __name__ == "__main__":
    main(*sys.argv[1:])

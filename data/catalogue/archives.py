"""Data sets that come as one archive, of which only the files that are needed are unpacked."""

import string

from data.catalogue.entry import CatalogueEntry, CatalogueFile, Member
from data.task import Augmentation, Drawing, Task

# What gzip may add to bytes that do not compress, with much to spare.
_GZIP_SLACK = 1 << 16
# A bound, as the size is published nowhere: it holds six splits of at most 814,255 images.
_EMNIST_BYTES = 1 << 30


def _emnist(
    split: str, title: str, names: str, values: range, train: int, test: int, min_accuracy: float
) -> CatalogueEntry:
    return CatalogueEntry(
        task=Task(
            f"emnist-{split}",
            (28, 28, 1),
            tuple(names),
            title=title,
            min_accuracy=min_accuracy,
            # The figure's box in the middle, two pixels from the edges: G. Cohen and others, 2017.
            drawing=Drawing(size=24, centre="box"),
        ),
        # https://docs.pytorch.org/vision/stable/_modules/torchvision/datasets/mnist.html
        files=(
            CatalogueFile(
                "gzip", _EMNIST_BYTES, md5="58c8d27c78d21e728a6bc7b3cc06412e", suffix=".zip"
            ),
        ),
        mirrors=(
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
            "https://biometrics.nist.gov/cs_links/EMNIST/",
        ),
        licence="none stated; made from NIST Special Database 19",
        authors="G. Cohen, S. Afshar, J. Tapson, A. van Schaik",
        train_examples=train,
        eval_examples=test,
        label_values=tuple(values),
        members=tuple(
            Member(
                f"gzip/emnist-{split}-{part}-{kind}-ubyte.gz",
                f"emnist-{split}-{part}-{kind}-ubyte.gz",
                16 + count * size + _GZIP_SLACK,
                is_exact=False,
            )
            for part, count in (("train", train), ("test", test))
            for kind, size in (("images-idx3", 784), ("labels-idx1", 1))
        ),
        published="torchvision.datasets, https://docs.pytorch.org/vision/stable/datasets.html",
    )


EMNIST_LETTERS = _emnist(
    "letters", "EMNIST Letters", string.ascii_uppercase, range(1, 27), 124_800, 20_800, 0.9
)
# 47 classes: letters that look alike in both cases are one. G. Cohen and others, 2017, section II.
EMNIST_BALANCED = _emnist(
    "balanced",
    "EMNIST Balanced",
    string.digits + string.ascii_uppercase + "abdefghnqrt",
    range(47),
    112_800,
    18_800,
    0.85,
)

_BATCH_BYTES = 10_000 * 3073
_CIFAR_FILES = (
    *((f"data_batch_{number}.bin", _BATCH_BYTES) for number in range(1, 6)),
    ("test_batch.bin", _BATCH_BYTES),
)

CIFAR_10 = CatalogueEntry(
    task=Task(
        "cifar-10",
        (32, 32, 3),
        (
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        title="CIFAR-10",
        augmentation=Augmentation(max_rotation=0.0, max_shift=4 / 32, max_scaling=0.0, flip=True),
        min_accuracy=0.65,
    ),
    # MD5 and layout: https://www.cs.toronto.edu/~kriz/cifar.html
    files=(
        CatalogueFile(
            "cifar-10-binary",
            170_052_171,
            md5="c32a1d4ab5d03f1284b67883e8d87530",
            suffix=".tar.gz",
        ),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    licence="none stated; its authors ask for a citation",
    authors="A. Krizhevsky, V. Nair, G. Hinton",
    train_examples=50_000,
    eval_examples=10_000,
    label_values=tuple(range(10)),
    members=tuple(
        Member(f"cifar-10-batches-bin/{name}", name, size) for name, size in _CIFAR_FILES
    ),
    published="https://www.cs.toronto.edu/~kriz/cifar.html",
)

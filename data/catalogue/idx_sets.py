"""Data sets in MNIST's own layout, each of four gzipped IDX files."""

from data.catalogue.entry import CatalogueEntry, CatalogueFile
from data.forms.idx_names import FILE_NAMES
from data.task import Augmentation, Drawing, Task

_SHAPE = (28, 28, 1)
_TEN = tuple(range(10))
_SIZES = (16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000)
_TORCHVISION = "torchvision.datasets, https://docs.pytorch.org/vision/stable/datasets.html"


def _files(md5: tuple[str, ...]) -> tuple[CatalogueFile, ...]:
    return tuple(
        CatalogueFile(name, size, md5=published)
        for name, size, published in zip(FILE_NAMES, _SIZES, md5, strict=True)
    )


MNIST = CatalogueEntry(
    task=Task("mnist", _SHAPE, tuple("0123456789"), title="MNIST", drawing=Drawing()),
    # Computed from the original distribution; mirrors differ in how they compressed it.
    files=tuple(
        CatalogueFile(name, size, sha256)
        for name, size, sha256 in zip(
            FILE_NAMES,
            _SIZES,
            (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
            strict=True,
        )
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    licence="CC BY-SA 3.0",
    authors="Y. LeCun, C. Cortes, C. J. C. Burges",
    train_examples=60_000,
    eval_examples=10_000,
    label_values=_TEN,
)

FASHION_MNIST = CatalogueEntry(
    task=Task(
        "fashion-mnist",
        _SHAPE,
        (
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        title="Fashion-MNIST",
        augmentation=Augmentation(max_rotation=5.0, max_scaling=0.1, flip=True),
        min_accuracy=0.88,
    ),
    # https://docs.pytorch.org/vision/stable/_modules/torchvision/datasets/mnist.html
    files=_files(
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        )
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
    licence="MIT",
    authors="H. Xiao, K. Rasul, R. Vollgraf (Zalando)",
    train_examples=60_000,
    eval_examples=10_000,
    label_values=_TEN,
    published=_TORCHVISION,
)

KMNIST = CatalogueEntry(
    task=Task(
        "kmnist",
        _SHAPE,
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        title="Kuzushiji-MNIST",
        min_accuracy=0.92,
    ),
    # https://docs.pytorch.org/vision/stable/_modules/torchvision/datasets/mnist.html
    files=_files(
        (
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        )
    ),
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    licence="CC BY-SA 4.0",
    authors="T. Clanuwat and others (CODH), from the Kuzushiji Dataset of NIJL and others",
    train_examples=60_000,
    eval_examples=10_000,
    label_values=_TEN,
    published=_TORCHVISION,
)

QMNIST = CatalogueEntry(
    task=Task("qmnist", _SHAPE, tuple("0123456789"), title="QMNIST", drawing=Drawing()),
    # https://docs.pytorch.org/vision/stable/_modules/torchvision/datasets/mnist.html
    files=(
        CatalogueFile(
            "qmnist-train-images-idx3-ubyte",
            16 + 60_000 * 784,
            md5="ed72d4157d28c017586c42bc6afe6370",
        ),
        CatalogueFile(
            "qmnist-train-labels-idx2-int",
            12 + 60_000 * 8 * 4,
            md5="0058f8dd561b90ffdd0f734c6a30e5e4",
        ),
        CatalogueFile(
            "qmnist-test-images-idx3-ubyte",
            16 + 60_000 * 784,
            md5="1394631089c404de565df7b7aeaf9412",
        ),
        CatalogueFile(
            "qmnist-test-labels-idx2-int",
            12 + 60_000 * 8 * 4,
            md5="5b5b05890a5e13444e108efe57b788aa",
        ),
    ),
    mirrors=(),  # its authors' repository alone has it
    licence="BSD 3-Clause",
    authors="C. Yadav, L. Bottou",
    train_examples=60_000,
    eval_examples=60_000,
    label_values=_TEN,
    published=_TORCHVISION,
)

"""The known data sets: files, hashes, mirrors and licence.

A further data set in MNIST's layout (Fashion-MNIST, KMNIST, ...) is one more entry here.
"""

from dataclasses import dataclass

from data.dataset import FILE_NAMES


@dataclass(frozen=True)
class CatalogueFile:
    """One IDX file; `sha256` (hex) and `size` (bytes) are of the decompressed content."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class CatalogueEntry:
    """A data set that can be downloaded: each mirror holds every file as `<file name>.gz`."""

    name: str
    title: str
    files: tuple[CatalogueFile, ...]
    mirrors: tuple[str, ...]
    licence: str
    authors: str
    label_names: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        """Labels go from 0 to num_classes - 1."""
        return len(self.label_names)


_MNIST = CatalogueEntry(
    name="mnist",
    title="MNIST",
    files=(
        CatalogueFile(
            FILE_NAMES[0],
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            47_040_016,
        ),
        CatalogueFile(
            FILE_NAMES[1],
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            60_008,
        ),
        CatalogueFile(
            FILE_NAMES[2],
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            7_840_016,
        ),
        CatalogueFile(
            FILE_NAMES[3],
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            10_008,
        ),
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    licence="CC BY-SA 3.0",
    authors="Y. LeCun, C. Cortes, C. J. C. Burges",
    label_names=tuple("0123456789"),
)

CATALOGUE: dict[str, CatalogueEntry] = {entry.name: entry for entry in (_MNIST,)}

"""The data sets that are known by name: files, checksums, mirrors, licence, labels."""

from data.catalogue.archives import CIFAR_10, EMNIST_BALANCED, EMNIST_LETTERS
from data.catalogue.entry import CatalogueEntry, CatalogueFile, Member
from data.catalogue.idx_sets import FASHION_MNIST, KMNIST, MNIST, QMNIST

__all__ = ["CATALOGUE", "CatalogueEntry", "CatalogueFile", "Member"]

CATALOGUE: dict[str, CatalogueEntry] = {
    entry.name: entry
    for entry in (
        *(MNIST, FASHION_MNIST, KMNIST, EMNIST_LETTERS, EMNIST_BALANCED, QMNIST),
        CIFAR_10,
    )
}

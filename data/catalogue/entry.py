"""What the catalogue says of a data set: its task, its files, where they are, and their sums."""

from dataclasses import dataclass

from data.task import Task


@dataclass(frozen=True)
class CatalogueFile:
    """A file as mirrors hold it.

    Attributes:
        name: on disk and, with `suffix`, at the mirrors.
        size: in bytes; of an IDX file, when it is decompressed.
        sha256: of an IDX file's decompressed content, in hex; "" where none is published.
        md5: of the file as it is downloaded, in hex; "" where none is published.
        suffix: of its name at the mirrors and on disk.
    """

    name: str
    size: int
    sha256: str = ""
    md5: str = ""
    suffix: str = ".gz"

    @property
    def stored_name(self) -> str:
        """The name at the mirrors."""
        return self.name + self.suffix


@dataclass(frozen=True)
class Member:
    """A file within an archive: its path there, its name on disk, and its size in bytes.

    Attributes:
        is_exact: whether it has just that size, rather than that size at most.
    """

    path: str
    name: str
    size: int
    is_exact: bool = True


@dataclass(frozen=True)
class CatalogueEntry:
    """A data set that can be had by its name.

    Attributes:
        task: the images and their labels.
        files: what is downloaded.
        mirrors: base addresses; none where no mirror is known.
        licence: by which it may be used, or that none is stated.
        authors: whose it is.
        train_examples: how many there are.
        eval_examples: how many there are.
        label_values: the labels in the files, for each of the task's label names.
        members: what is taken out of the one file, which is an archive; () for IDX files.
        published: where the checksums are published, for people; "" where there are none.
    """

    task: Task
    files: tuple[CatalogueFile, ...]
    mirrors: tuple[str, ...]
    licence: str
    authors: str
    train_examples: int
    eval_examples: int
    label_values: tuple[int, ...]
    members: tuple[Member, ...] = ()
    published: str = ""

    @property
    def name(self) -> str:
        """As it is given as DATASET."""
        return self.task.name

    @property
    def title(self) -> str:
        """For people."""
        return self.task.title

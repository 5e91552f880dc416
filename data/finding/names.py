"""What a data set of one's own is called, from where it lies."""

from pathlib import Path

from data.forms.layout import EVAL_NAMES, TRAIN_NAMES

# What tells nothing about the data: the folder above it says which it is.
_GENERIC = {
    *(*TRAIN_NAMES, *EVAL_NAMES, "raw", "data", "dataset", "datasets", "images", "imgs", "image"),
    *("files", "png", "jpg", "jpeg", "npz", "csv", "idx", "bin", "archive", "input", "processed"),
    *("unpacked", "extracted", "download", "downloads", "content", "cifar-10-batches-bin"),
}
_MOST_PARTS = 3


def name_of(path: Path, is_taken: frozenset[str] = frozenset()) -> str:
    """Returns the name of a folder or file, with those above it in front where it is generic.

    Args:
        path: of the data set.
        is_taken: names that it must not have, so that it does not pass for another.
    """
    path = path.resolve()
    stem = path.name if path.is_dir() else path.name.partition(".")[0]
    parts = [stem or "root"]
    for parent in path.parents:
        if parts[0].lower() not in _GENERIC or len(parts) == _MOST_PARTS or not parent.name:
            break
        parts.insert(0, parent.name)
    name = "-".join(parts)
    return f"{'folder' if path.is_dir() else 'file'}-{name}" if name in is_taken else name

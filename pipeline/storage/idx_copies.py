"""Copies of the IDX files in an object store."""

import os
from pathlib import Path

from data.dataset import FILE_NAMES, spellings
from data.errors import DataError
from data.forms import idx
from pipeline.storage import store_copies, stores

# So much of a gzipped file has its header in it, however far ahead Python decompresses.
_START_BYTES = 1 << 18


def download_idx(uri: str, folder: Path) -> None:
    """Copies the IDX files right in a folder of an object store, and nothing else there.

    Raises:
      stores.StoreError: it cannot be read.
      data.errors.DataError: a file is far longer, or shorter, than its header says.
    """
    present = stores.names(uri)
    for name in FILE_NAMES:
        for spelling in [spelling for spelling in spellings(name) if spelling in present][:1]:
            copy = folder / spelling
            # Before a terabyte is copied: its beginning, and a hole in place of the rest.
            size = store_copies.download_start(f"{uri.rstrip('/')}/{spelling}", _START_BYTES, copy)
            os.truncate(copy, size)
            try:
                with idx.opened_values(copy):
                    pass
            except DataError as error:
                raise DataError(str(error).replace(str(folder), uri.rstrip("/"))) from error
            store_copies.download_files(uri, [spelling], folder)

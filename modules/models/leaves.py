"""Names for the arrays of a tree."""

from typing import Any

import jax


def named_leaves(tree: Any) -> list[tuple[str, Any]]:
    """Returns the leaves of a tree with their names, such as "params/Dense_0/kernel".

    Keys of dicts, indices of lists and names of fields are joined by slashes; two leaves have one
    name only where keys have slashes themselves.
    """
    return [
        (jax.tree_util.keystr(path, simple=True, separator="/"), leaf)
        for path, leaf in jax.tree.leaves_with_path(tree)
    ]


def numbered(tree: Any) -> dict[str, Any]:
    """Returns the leaves of any tree in a dict that every format can hold: "0", "1", ..."""
    return {str(number): leaf for number, leaf in enumerate(jax.tree.leaves(tree))}

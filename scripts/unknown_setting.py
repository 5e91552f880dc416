"""Prints one sentence on what stood on make's command line and is no setting.

python unknown_setting.py UNKNOWN... -- SETTING...

Runs on any Python 3, before anything is installed.
"""

import difflib
import sys


def sentence(unknown, settings):
    """Returns what is wrong and what to do about it; both are lists of names."""
    names = []
    for name in sorted(unknown):
        near = difflib.get_close_matches(name.upper(), settings, n=1)
        names.append(name + (f" (did you mean {near[0]}?)" if near else ""))
    return (
        f"unknown setting {', '.join(names)}; `make help` lists them, and other variables of the "
        "environment go before `make`"
    )


if __name__ == "__main__":
    border = sys.argv.index("--", 2)
    print(sentence(sys.argv[1:border], sys.argv[border + 1 :]))

#!/bin/sh
# Makes .venv: a Python that the wheels exist for, uv, the packages of the lock, this project.
# PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
lock=requirements/lock.txt
python=
reason=
status=1

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
    reason="PYTHON=$PYTHON: there is no such Python"
    status=2
else
    # 3.11 comes first: its wheels run on the oldest systems.
    set -- python3.11 python3.12 python3.13 python3
fi
for candidate; do
    # Other programs may well end with 0, whatever they are given.
    [ "$("$candidate" -c 'print(6 * 7)' 2>/dev/null)" = 42 ] || continue
    if reason=$("$candidate" scripts/check_platform.py 2>&1); then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: ${reason:-no Python found: install Python 3.11 (Debian: apt install python3 python3-venv) or name one with PYTHON=...}" >&2
    exit $status
fi

echo "Setting up .venv with $("$python" --version) (about 4 GB, a minute or two) ..."
rm -rf .venv
if command -v uv >/dev/null 2>&1; then
    uv=uv
    uv venv --quiet --python "$(command -v "$python")" .venv
else
    if ! "$python" -m venv .venv; then
        echo "error: $python cannot make virtual environments: install its venv module (Debian: apt install python3-venv) or uv" >&2
        exit 1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        "$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' $lock)"
    uv=.venv/bin/uv
fi
# Bytecode is compiled now, since the first run would otherwise spend its first minute on it.
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode $lock
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
echo "Done."

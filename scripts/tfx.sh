#!/bin/sh
# Registers the pipeline with the tfx command line's local engine, or updates it there, and runs it.
set -eu
project=$(cd "$(dirname "$0")/.." && pwd)
tfx=$project/.venv/bin/tfx
# tfx fails without HOME, and where it cannot keep there what it knows.
HOME=$(cd "$project" && .venv/bin/python -m pipeline.running.environment) || exit 2
export HOME
mkdir -p "$HOME/tfx" 2>/dev/null && [ -w "$HOME/tfx" ] || {
    echo "error: HOME=$HOME: cannot write there, and tfx keeps what it knows in tfx/ below it; give another" >&2
    exit 2
}
path=--pipeline_path=$project/pipeline/local_runner.py # tfx keeps it as it is given

echo '$ tfx pipeline create --engine=local'
if ! created=$("$tfx" pipeline create --engine=local "$path" 2>&1); then
    case $created in
    *' already exists.'*) ;;
    *)
        printf '%s\n' "$created" >&2
        exit 1
        ;;
    esac
    echo '$ tfx pipeline update --engine=local'
    created=$("$tfx" pipeline update --engine=local "$path" 2>&1) || {
        printf '%s\n' "$created" >&2
        exit 1
    }
fi
name=$(printf '%s\n' "$created" | sed -n 's/^Pipeline "\(.*\)" .* successfully\.$/\1/p')
echo "\$ tfx run create --engine=local --pipeline_name=$name"
"$tfx" run create --engine=local --pipeline_name="$name"

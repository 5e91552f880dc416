#!/bin/sh
# Runs the pipeline with Beam's work on Flink. One of the run's own needs no network, and its servers
# would listen on all of it, so it gets a network namespace; SHARE_NETWORK=1 and a --flink_master do
# without.
set -eu
export BEAM_RUNNER=flink
python=.venv/bin/python

job_server() {
    case ${BEAM_ARGS:-} in
        *--flink_job_server_jar=*) ;;
        *) $python -m pipeline.running.take_job_server flink ;;
    esac
}
case "${SHARE_NETWORK:-0} ${BEAM_ARGS:-}" in
    1\ * | 0\ *--flink_master=*)
        job_server
        exec $python -m pipeline.local_runner
        ;;
esac
for setting in DATASET MNIST_DIR METADATA PIPELINE_ROOT PUSH_TO; do
    case $(printenv $setting || true) in
        file://*) ;;
        *://*)
            # Not what it says: there may be a password in it.
            echo "error: $setting is on a network: a Flink of the run's own has none to reach it; SHARE_NETWORK=1 gives it one, on all addresses of which Beam's servers then listen" >&2
            exit 2
            ;;
    esac
done
case "${DATASET:-}${MNIST_DIR:-}" in
    *file://*) ;;
    # What has to be downloaded.
    *) $python -m data --mnist-dir="${MNIST_DIR:-}" -- "${DATASET:-auto}" >/dev/null || exit 2 ;;
esac
job_server
exec sh scripts/loopback_only.sh $python -m pipeline.local_runner

#!/bin/sh
# Flink on this machine, out of Beam's job server, which contains one.
#   flink.sh          runs the pipeline with Beam's work on Flink
#   flink.sh cluster  runs a Flink of one job manager and two workers until it is interrupted
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python
job_server="$python -m pipeline.running.take_job_server flink"

# deploy/flink/config.yaml keeps all that listens on the loopback interface. CLASSPATH replaces the
# job server, with the jars of a Flink distribution for instance.
cluster() {
    classpath=${CLASSPATH:-$($job_server)}
    export FLINK_CONF_DIR="$PWD/deploy/flink"
    runtime=org.apache.flink.runtime
    started=
    trap 'exit 0' INT TERM
    trap 'kill $started 2>/dev/null; wait' EXIT
    start 1g $runtime.entrypoint.StandaloneSessionClusterEntrypoint
    start 1536m $runtime.taskexecutor.TaskManagerRunner
    start 1536m $runtime.taskexecutor.TaskManagerRunner
    wait
}

# Flink serializes by reflection, which newer Java asks to be allowed.
start() {
    java -Xmx"$1" --add-opens=java.base/java.util=ALL-UNNAMED \
        --add-opens=java.base/java.lang=ALL-UNNAMED -cp "$classpath" "$2" \
        --configDir "$FLINK_CONF_DIR" &
    started="$started $!"
}

# A Flink of the run's own needs no network, and its servers would listen on all of it, so it gets a
# network namespace; SHARE_NETWORK=1 and a --flink_master do without.
pipeline() {
    export BEAM_RUNNER=flink
    namespace=
    case "${SHARE_NETWORK:-0} ${BEAM_ARGS:-}" in
        1\ * | 0\ *--flink_master=*) ;;
        *)
            refuse_networks
            case "${DATASET:-}${MNIST_DIR:-}" in
                *file://*) ;;
                # What has to be downloaded.
                *) $python -m data --mnist-dir="${MNIST_DIR:-}" -- "${DATASET:-auto}" >/dev/null || exit 2 ;;
            esac
            namespace='sh scripts/loopback_only.sh'
            ;;
    esac
    case ${BEAM_ARGS:-} in
        *--flink_job_server_jar=*) ;;
        *) $job_server ;;
    esac
    exec $namespace $python -m pipeline.local_runner
}

refuse_networks() {
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
}

case ${1:-pipeline} in
    pipeline | cluster) ${1:-pipeline} ;;
    *)
        echo "usage: flink.sh [cluster]" >&2
        exit 2
        ;;
esac

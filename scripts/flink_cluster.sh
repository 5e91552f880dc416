#!/bin/sh
# Runs a Flink of one job manager and two workers from Beam's job server, which contains Flink, until
# it is interrupted. deploy/flink/config.yaml keeps all that listens on the loopback interface.
# CLASSPATH replaces the job server, with the jars of a Flink distribution for instance.
set -eu
cd "$(dirname "$0")/.."
classpath=${CLASSPATH:-$(.venv/bin/python -m pipeline.running.take_job_server flink)}
export FLINK_CONF_DIR="$PWD/deploy/flink"
runtime=org.apache.flink.runtime

# Flink serializes by reflection, which newer Java asks to be allowed.
start() {
    java -Xmx"$1" --add-opens=java.base/java.util=ALL-UNNAMED \
        --add-opens=java.base/java.lang=ALL-UNNAMED -cp "$classpath" "$2" \
        --configDir "$FLINK_CONF_DIR" &
    started="$started $!"
}
started=
trap 'exit 0' INT TERM
trap 'kill $started 2>/dev/null; wait' EXIT
start 1g $runtime.entrypoint.StandaloneSessionClusterEntrypoint
start 1536m $runtime.taskexecutor.TaskManagerRunner
start 1536m $runtime.taskexecutor.TaskManagerRunner
wait

"""Where Beam's work runs: from the user's settings to Beam's options, checked before any work."""

import argparse
import contextlib
import io
import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from data.errors import ConfigError, shown
from data.files import PROJECT_ROOT
from pipeline.beam import direct_http, job_server
from pipeline.config import IN_MEMORY, NO_PACKING

FLINK_CONFIG = PROJECT_ROOT / "deploy" / "flink"

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
# What TFX puts into modules when it is imported has to be there in every worker.
_PLUGINS = "--beam_plugins=tfx.components"
_DATAFLOW = "--runner=DataflowRunner"
_TIMEOUT_S = 10


def beam_args(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns Beam's options for BEAM_RUNNER, with those of BEAM_ARGS after them.

    Raises:
      ConfigError: there is no such runner, or it lacks something: an option, Java, the job server,
        an answer of the engine.
    """
    runner = environment.get("BEAM_RUNNER") or "in_memory"
    if runner not in _RUNNERS:
        raise ConfigError(f"BEAM_RUNNER={shown(runner)}: expected one of {', '.join(_RUNNERS)}")
    try:
        extra = tuple(shlex.split(environment.get("BEAM_ARGS") or ""))
    except ValueError as error:
        raise ConfigError(f"BEAM_ARGS={environment['BEAM_ARGS']}: {error}") from error
    if wrong := [word for word in extra if not word.startswith("--")]:
        raise ConfigError(
            f"BEAM_ARGS={environment['BEAM_ARGS']}: {wrong[0]!r} is not an option; expected "
            "--NAME=VALUE, separated by spaces"
        )
    options = _known_options(extra)
    if options.runner:
        raise ConfigError(f"BEAM_ARGS has --runner={options.runner}: give BEAM_RUNNER instead")
    if extra:
        _check_values(extra)
    return (*_RUNNERS[runner](options), *extra)


def check_root(beam_args: tuple[str, ...], root: str, stage_beam: bool) -> None:
    """Raises ConfigError when Dataflow's workers could not reach the artifacts.

    Args:
      beam_args: as `beam_args` returns them.
      root: where TFX keeps artifacts; "" for a folder of this machine.
      stage_beam: whether components work on local copies.
    """
    if _DATAFLOW in beam_args and (not root.startswith("gs://") or stage_beam):
        raise ConfigError(
            f"BEAM_RUNNER=dataflow with PIPELINE_ROOT={root} and STAGE_BEAM={stage_beam:d}: its "
            "workers reach artifacts in gs:// only, and without local copies; give such a "
            "PIPELINE_ROOT, and STAGE_BEAM=0"
        )


def args_for_local_files(beam_args: tuple[str, ...]) -> tuple[str, ...]:
    """Returns options that follow `beam_args` where a component reads this process's disk.

    All other engines are used where workers see it.
    """
    return IN_MEMORY if _DATAFLOW in beam_args else ()


def _check_values(arguments: tuple[str, ...]) -> None:
    """Raises ConfigError for a value that Beam does not take, and would end the process over."""
    # Imported here: it takes its time, and most do without.
    from apache_beam.options.pipeline_options import PipelineOptions

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            PipelineOptions(list(arguments)).get_all_options()
    except SystemExit as error:
        reason = said.getvalue().strip().rpartition("error: ")[2]
        raise ConfigError(f"BEAM_ARGS={shlex.join(arguments)}: {reason}") from error


def engine_of_job_server(beam_args: tuple[str, ...]) -> str | None:
    """Returns the engine that Beam reaches by a program in Java, or None without such a program."""
    options = _known_options(beam_args)
    engines = (name for name in job_server.ARTIFACTS if getattr(options, f"{name}_job_server_jar"))
    return next(engines, None)


def _known_options(arguments: tuple[str, ...]) -> argparse.Namespace:
    """Returns the options that are checked here; Beam itself reads all of them."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, argument_default="")
    for name in (
        *("runner", "job_endpoint", "environment_type", "flink_master", "flink_job_server_jar"),
        *("spark_master_url", "spark_job_server_jar", "project", "region", "temp_location"),
        "sdk_container_image",
    ):
        parser.add_argument(f"--{name}", nargs="?", const="")
    options, _ = parser.parse_known_args(arguments)
    return options


def _in_memory(options: argparse.Namespace) -> tuple[str, ...]:
    return IN_MEMORY


def _portable(options: argparse.Namespace) -> tuple[str, ...]:
    """A job service of the user's, or Beam's own, which needs no socket with such workers."""
    if not options.job_endpoint:
        embedded = "--environment_type=beam:env:embedded_python:v1"
        return ("--runner=PortableRunner", "--job_endpoint=embed", embedded, NO_PACKING)
    _require_environment("--job_endpoint", options.job_endpoint, options)
    return (*_local_workers("PortableRunner"),)


def _flink(options: argparse.Namespace) -> tuple[str, ...]:
    """A cluster of the user's, or one that Beam starts for the time of each component."""
    jar = _java_program("flink", options.flink_job_server_jar, "--flink_job_server_jar")
    if options.flink_master not in ("", "[local]", "[auto]"):
        _require_flink(options.flink_master)
        _require_environment("--flink_master", options.flink_master, options)
    settings = (f"--flink_job_server_jar={jar}", f"--flink_conf_dir={FLINK_CONFIG}")
    return (*_local_workers("FlinkRunner"), *settings)


def _spark(options: argparse.Namespace) -> tuple[str, ...]:
    """A cluster of the user's, or Spark in the process of Beam's job server."""
    jar = _java_program("spark", options.spark_job_server_jar, "--spark_job_server_jar")
    master = options.spark_master_url
    if master and not master.startswith("local"):
        _require_environment("--spark_master_url", master, options)
    return (*_local_workers("SparkRunner"), f"--spark_job_server_jar={jar}")


def _dataflow(options: argparse.Namespace) -> tuple[str, ...]:
    """Google's service. Its workers cannot install this project's lock, so they need an image."""
    needed = {
        "project": "a project of Google Cloud",
        "region": "a region such as europe-west1",
        "temp_location": "a folder gs://BUCKET/FOLDER",
        "sdk_container_image": "an image with this project and its lock",
    }
    for name, what in needed.items():
        if not getattr(options, name):
            raise ConfigError(f"BEAM_RUNNER=dataflow needs --{name} in BEAM_ARGS: {what}")
    if not options.temp_location.startswith("gs://"):
        raise ConfigError(
            f"BEAM_ARGS has --temp_location={options.temp_location}: expected "
            f"{needed['temp_location']}"
        )
    return (_DATAFLOW, "--experiments=use_runner_v2", _PLUGINS)


_RUNNERS: Mapping[str, Callable[[argparse.Namespace], tuple[str, ...]]] = {
    "in_memory": _in_memory,
    "portable": _portable,
    "flink": _flink,
    "spark": _spark,
    "dataflow": _dataflow,
}


def _local_workers(runner: str) -> tuple[str, ...]:
    """Options for a runner of `loopback_runners`, with its workers in this process."""
    loopback = "--environment_type=LOOPBACK"
    return (f"--runner=pipeline.beam.loopback_runners.{runner}", loopback, _PLUGINS, NO_PACKING)


def _java_program(engine: str, given: str, option: str) -> Path:
    """Returns the job server's jar, or raises ConfigError when it or Java is missing."""
    path = Path(given).absolute() if given else job_server.jar_path(engine)
    if not path.is_file():
        raise ConfigError(
            f"BEAM_RUNNER={engine}: there is no job server {path}; `make {engine}-jar` takes it "
            f"from Maven Central, or give another as {option} in BEAM_ARGS"
        )
    if not shutil.which("java"):
        raise ConfigError(
            f"BEAM_RUNNER={engine}: there is no `java` on PATH (Debian: apt install "
            "default-jre-headless)"
        )
    return path


def _require_environment(option: str, address: str, options: argparse.Namespace) -> None:
    """Raises ConfigError where workers would look for this process on other machines."""
    host = address.split("://")[-1].rsplit(":", 1)[0]
    if host not in _LOOPBACK_HOSTS and not options.environment_type:
        raise ConfigError(
            f"BEAM_ARGS has {option}={address}: on another machine, also say where Python code "
            "runs, such as --environment_type=DOCKER --environment_config=IMAGE"
        )


def _require_flink(master: str) -> None:
    """Raises ConfigError when no Flink answers."""
    url = master if "://" in master else f"http://{master}"
    try:
        with direct_http.urlopen(f"{url}/config", timeout=_TIMEOUT_S) as answer:
            json.load(answer)["flink-version"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"BEAM_ARGS has --flink_master={master}: no Flink answers there ({error}); start it, "
            "or leave the option out for a Flink of the run's own"
        ) from error

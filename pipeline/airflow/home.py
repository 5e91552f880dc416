"""An Airflow of this project's own, beside any other: where it lives and how it is set."""

import os
import subprocess
from pathlib import Path

from data.errors import ConfigError
from data.files import PROJECT_ROOT
from pipeline.airflow.compile_dag import compile_for_airflow
from pipeline.config import PipelineConfig
from pipeline.running import compiled

LOOPBACK = "127.0.0.1"
# What airflow_runner.py reads; to import it from there would take Airflow.
_GRAPHS = "PIPELINE_GRAPHS"
_LOG_FILE = "airflow.log"
_DAG_FILE = PROJECT_ROOT / "pipeline" / "airflow_runner.py"


class AirflowHome:
    """Airflow's files for one compiled DAG; all of them lie in the DAG's folder."""

    def __init__(self, config: PipelineConfig, port: int = 8080):
        """Compiles the DAG, and makes Airflow's folders and database or brings them up to date.

        Args:
          config: of the pipeline, read from this process's environment.
          port: of the web server.

        Raises:
          ConfigError: there is no Airflow, or it cannot make its database.
        """
        self._port = port
        _program("airflow")  # before the work
        self.folder = compile_for_airflow(config)
        self.graph = compiled.read_graph(self.folder)
        self.log_file = self.folder / _LOG_FILE
        self._home, self._dags = self.folder / "home", self.folder / "dags"
        self._dags.mkdir(exist_ok=True)
        link = self._dags / _DAG_FILE.name
        link.unlink(missing_ok=True)
        link.symlink_to(_DAG_FILE)
        self._run(self.command("db", "migrate"))

    @property
    def password_file(self) -> Path:
        """Where Airflow keeps the password that it made for `admin`, for this user's eyes only."""
        return self._home / "standalone_admin_password.txt"

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with Airflow's settings, and none of another Airflow's."""
        settings = {
            # Airflow starts itself for every task.
            "PATH": f"{_program('airflow').parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "AIRFLOW_HOME": self._home,
            "AIRFLOW__CORE__DAGS_FOLDER": self._dags,
            "AIRFLOW__CORE__LOAD_EXAMPLES": False,
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,  # it has no schedule
            "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": True,  # else it warns at every start
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": False,
            "AIRFLOW__WEBSERVER__WEB_SERVER_HOST": LOOPBACK,
            "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": self._port,
            "AIRFLOW__WEBSERVER__BASE_URL": f"http://{LOOPBACK}:{self._port}",
            "AIRFLOW__WEBSERVER__WORKERS": 2,
            _GRAPHS: self.folder / compiled.GRAPH_FILE,
        }
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")
        }
        return {**inherited, **{name: str(value) for name, value in settings.items()}}

    def command(self, *arguments: str) -> list[str]:
        """Returns the command line of an Airflow command."""
        return [str(_program("airflow")), *arguments]

    def make_user(self) -> None:
        """Makes the user `admin`, with a password that nobody chose; raises ConfigError."""
        if not self.password_file.exists():
            # What `airflow standalone` does; `airflow users create` would show the password to all
            # who can list this machine's processes.
            code = (
                "from airflow.providers.fab.auth_manager.cli_commands import utils\n"
                "with utils.get_application_builder() as builder:\n"
                "    builder.sm.create_admin_standalone()"
            )
            self._run([str(_program("python")), "-c", code])

    def _run(self, command: list[str]) -> None:
        with open(self.log_file, "a") as stream:
            done = subprocess.run(command, env=self.environment, stdout=stream, stderr=stream)
        if done.returncode:
            raise ConfigError(f"Airflow could not be prepared; details: {self.log_file}")


def _program(name: str) -> Path:
    """Returns a program of Airflow's environment; raises ConfigError when there is none."""
    path = PROJECT_ROOT / ".venv-airflow" / "bin" / name
    if not path.exists():
        raise ConfigError(f"{path}: Airflow is not installed; run `make airflow-setup`")
    return path

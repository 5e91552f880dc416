"""Runs a compiled pipeline spec on this machine: each task's own container command, no container.

What a task is told is what Kubeflow's launcher tells it; input artifacts have no type, as on open
source Kubeflow. A task's driver, which ExampleGen has, runs before it on Vertex only. The commands
run one after the other in this process, which has loaded TFX, but for those of one task.
"""

import json
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from data.files import PROJECT_ROOT
from tests.e2e.support.in_process import as_started

Spec = dict[str, Any]
Artifact = dict[str, Any]
_PLACEHOLDER = "{{$}}"
TERMINAL = "terminal.txt"


class TaskFailedError(AssertionError):
    """A task ended with another status than 0; the message has the end of its output."""


class SpecRun:
    """A run of the whole spec, with artifacts below its pipeline root or another."""

    def __init__(
        self, spec_file: Path, with_drivers: bool, own_process: str = "", root: Path | None = None
    ):
        """Takes what to run, and where.

        Args:
          spec_file: the compiled pipeline.
          with_drivers: whether drivers run, as on Vertex.
          own_process: the task whose commands get processes of their own, if any does.
          root: for the artifacts; the spec's own if None.
        """
        self._spec: Spec = yaml.safe_load(spec_file.read_text())
        self._with_drivers = with_drivers
        self._own_process = own_process
        self._root = root or Path(self._spec["defaultPipelineRoot"])
        self._tasks: Spec = self._spec["root"]["dag"]["tasks"]
        self.outputs: dict[str, dict[str, Artifact]] = {}

    def run(self) -> None:
        """Runs every task after those that it depends on.

        Raises:
          TaskFailedError: a task failed; none is run after it.
        """
        waiting = dict(self._tasks)
        while waiting:
            ready = [
                name
                for name, task in waiting.items()
                if set(task.get("dependentTasks", ())) <= self.outputs.keys()
            ]
            assert ready, f"no order for {sorted(waiting)}"
            for name in ready:
                self.outputs[name] = self.run_task(name)
                del waiting[name]

    def run_task(self, name: str) -> dict[str, Artifact]:
        """Runs a task; returns its output artifacts."""
        task = self._tasks[name]
        component = self._spec["components"][task["componentRef"]["name"]]
        executors = self._spec["deploymentSpec"]["executors"]
        container = executors[component["executorLabel"]]["container"]
        folder = self._root / name
        output_file = folder / "executor_output.json"
        outputs = {
            key: {
                "name": "",
                "uri": str(folder / key),
                "type": definition["artifactType"],
                "metadata": dict(definition.get("metadata", {})),
            }
            for key, definition in component.get("outputDefinitions", {})
            .get("artifacts", {})
            .items()
        }
        for artifact in outputs.values():
            Path(artifact["uri"]).mkdir(parents=True)
        executor_input = {
            "inputs": {
                "parameterValues": {
                    key: value["runtimeValue"]["constant"]
                    for key, value in task["inputs"].get("parameters", {}).items()
                },
                "artifacts": {
                    key: {"artifacts": [self._input(**value["taskOutputArtifact"])]}
                    for key, value in task["inputs"].get("artifacts", {}).items()
                },
            },
            "outputs": {
                "artifacts": {key: {"artifacts": [value]} for key, value in outputs.items()},
                "outputFile": str(output_file),
            },
        }
        folder.mkdir(exist_ok=True)
        steps = [container]
        if self._with_drivers and "lifecycle" in container:
            steps.insert(0, container["lifecycle"]["preCacheCheck"])
        for step in steps:
            command = [
                part.replace(_PLACEHOLDER, json.dumps(executor_input))
                for part in (*step["command"], *step["args"])
            ]
            run = _run if name == self._own_process else _run_here
            if status := run(command, folder):
                shown = (folder / TERMINAL).read_text()[-4000:]
                raise TaskFailedError(f"{name}: exit status {status}\n{shown}")
            # What a driver found out reaches the executor, and both together later tasks.
            for key, reported in json.loads(output_file.read_text()).get("artifacts", {}).items():
                [artifact] = reported["artifacts"]
                outputs[key]["metadata"] |= artifact.get("metadata", {})
        return {key: {**artifact, "name": f"{name}/{key}"} for key, artifact in outputs.items()}

    def _input(self, producerTask: str, outputArtifactKey: str) -> Artifact:  # noqa: N803
        """Returns an artifact as a later task sees it."""
        artifact = self.outputs[producerTask][outputArtifactKey]
        return {key: artifact[key] for key in ("name", "uri", "metadata") if key in artifact}


def _environment(folder: Path) -> dict[str, str]:
    """Returns a container's environment: the project on Python's path, and no settings."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "PYTHONPATH": str(PROJECT_ROOT), "HOME": str(folder)}


def _run(command: Sequence[str], folder: Path) -> int:
    """Runs a command as in a container; returns its status."""
    with open(folder / TERMINAL, "a") as terminal:
        return subprocess.run(
            command,
            cwd=folder,
            env=_environment(folder),
            stdout=terminal,
            stderr=subprocess.STDOUT,
            timeout=1800,
        ).returncode


def _run_here(command: Sequence[str], folder: Path) -> int:
    """Does the same in this process."""
    assert command[:2] == ["python", "-m"], command
    with as_started(_environment(folder), folder / TERMINAL, command[2:], folder):
        # It is there already, as a module.
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        try:
            runpy.run_module(command[2], run_name="__main__", alter_sys=True)
        except SystemExit as end:
            return int(end.code or 0)
    return 0

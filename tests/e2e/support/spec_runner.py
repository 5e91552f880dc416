"""Runs a compiled pipeline spec on this machine: each task's own container command, no container.

What a task is told is what Kubeflow's launcher tells it; input artifacts have no type, as on open
source Kubeflow. A task's driver, which ExampleGen has, runs before it on Vertex only.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import yaml

from data.files import PROJECT_ROOT

Spec = dict[str, Any]
Artifact = dict[str, Any]
_PLACEHOLDER = "{{$}}"
_WORKERS = 2  # each is a process that loads TFX


class TaskFailedError(AssertionError):
    """A task ended with another status than 0; the message has the end of its output."""


class SpecRun:
    """A run of the whole spec, with artifacts below its pipeline root or another."""

    def __init__(self, spec_file: Path, with_drivers: bool, root: Path | None = None):
        self._spec: Spec = yaml.safe_load(spec_file.read_text())
        self._with_drivers = with_drivers
        self._root = root or Path(self._spec["defaultPipelineRoot"])
        self._tasks: Spec = self._spec["root"]["dag"]["tasks"]
        self.outputs: dict[str, dict[str, Artifact]] = {}

    def run(self) -> None:
        """Runs every task after those that it depends on, two at a time.

        Raises:
          TaskFailedError: a task failed; those that run already are waited for.
        """
        waiting, running = dict(self._tasks), dict[Future, str]()
        with ThreadPoolExecutor(_WORKERS) as pool:
            while waiting or running:
                for name, task in list(waiting.items()):
                    if set(task.get("dependentTasks", ())) <= self.outputs.keys():
                        running[pool.submit(self.run_task, name)] = name
                        del waiting[name]
                assert running, f"no order for {sorted(waiting)}"
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    self.outputs[running.pop(done)] = done.result()

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
            _run(name, command, folder)
            # What a driver found out reaches the executor, and both together later tasks.
            for key, reported in json.loads(output_file.read_text()).get("artifacts", {}).items():
                [artifact] = reported["artifacts"]
                outputs[key]["metadata"] |= artifact.get("metadata", {})
        return {key: {**artifact, "name": f"{name}/{key}"} for key, artifact in outputs.items()}

    def _input(self, producerTask: str, outputArtifactKey: str) -> Artifact:  # noqa: N803
        """Returns an artifact as a later task sees it."""
        artifact = self.outputs[producerTask][outputArtifactKey]
        return {key: artifact[key] for key in ("name", "uri", "metadata") if key in artifact}


def _run(task: str, command: list[str], folder: Path) -> None:
    """Runs a command as in a container: the project on Python's path, another working folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": path, "PYTHONPATH": str(PROJECT_ROOT), "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    if done.returncode:
        raise TaskFailedError(f"{task}: exit status {done.returncode}\n{done.stdout[-4000:]}")

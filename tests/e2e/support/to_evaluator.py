"""Runs the pipeline as the environment says, from the data to the Evaluator of one device model.

All components that run on Beam are among these. It is for an engine that takes long over each.
"""

import os

from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import RunOptions

from pipeline.create import create_pipeline
from pipeline.settings import config_from_environment

EVALUATOR = "Evaluator.float32"


def main() -> None:
    """Runs it."""
    pipeline = create_pipeline(config_from_environment(os.environ))
    LocalDagRunner().run(pipeline, run_options=RunOptions(to_nodes=[EVALUATOR]))


if __name__ == "__main__":
    main()

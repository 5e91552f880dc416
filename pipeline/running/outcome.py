"""What is left of a run for its user: the report where it is looked for, and the table."""

import shutil

from rich.console import Console

from data.errors import NOT_BLESSED
from pipeline.config import PipelineConfig
from pipeline.running.summary import print_verdict
from pipeline.storage import store_copies, versions
from pipeline.verdict import verdict


class ReportError(OSError):
    """The report is made, and cannot be copied to where the user looks for it."""


def copy_report(config: PipelineConfig, run: str | None = None) -> None:
    """Copies the report of a run, the pipeline's last one if none is named, to OUTPUT/report."""
    from pipeline.metadata import runs
    from pipeline.metadata.connection import open_store

    store = open_store(config.metadata_location)
    execution = runs.run_executions(store, config.pipeline_name, run)["Report"]
    report = runs.output_artifacts(store, execution)["report"].uri
    try:
        store_copies.copy_folder(report, config.report_dir)
    except OSError as error:
        # shutil's is a list of (source, destination, reason).
        reason = error.args[0][0][-1] if isinstance(error, shutil.Error) else error
        raise ReportError(
            f"cannot copy the report to {config.report_dir} ({reason}); it is in {report}"
        ) from error


def show(config: PipelineConfig, seconds: float) -> int:
    """Prints the table of the report that was copied, and what became of the pushes.

    Returns:
      0 when every model was blessed, else NOT_BLESSED: a refused variant is not, whichever it is.
    """
    found = verdict.read(config.report_dir / verdict.COMPARISON_FILE)
    print_verdict(found, Console())
    if config.dataset.is_fallback:
        print(f"Not MNIST: {config.dataset.source}")
    pushed = {model.pushed_to for model in found.models if model.pushed_to}
    if found.personal and found.personal.pushed_to:
        pushed.add(found.personal.pushed_to)
    for folder in sorted(pushed):
        # A push that is taken from the cache is not repeated, whatever happened since.
        newest = versions.newest(folder.rpartition("/")[0])
        if not versions.is_whole(folder):
            print(f"{folder} was pushed by an earlier run and is gone since; see docs/local.md")
        elif newest and newest != folder:
            name = newest.rpartition("/")[2]
            print(f"{folder} is of an earlier run; version {name} of other settings is newer")
    print(f"Report: {config.report_dir / verdict.REPORT_FILE}\nThe run took {seconds:.0f} s.")
    personal = found.personal is None or found.personal.blessed
    return 0 if personal and all(model.blessed for model in found.models) else NOT_BLESSED

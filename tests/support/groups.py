"""Which tests one worker of `make test` runs one after the other, and which come first."""

from xdist.scheduler import LoadScopeScheduling

# What the files of a group share is costly, and every worker that needs it makes it anew. Those
# that cost most stand first: nobody should be left with them when the other worker has ended.
GROUPS: dict[str, tuple[str, ...]] = {
    "digits run": (
        "tests/e2e/test_digits.py",
        "tests/e2e/test_unasked.py",
        "tests/e2e/test_faults.py",
        "tests/e2e/device_models/",
    ),
    # Alone it takes as long as the first, with Flink.
    "engines": ("tests/e2e/test_beam_runners.py",),
    "database server": (
        "tests/e2e/test_metadata_server.py",
        "tests/pipeline/metadata/test_connection.py",
        "tests/pipeline/metadata/test_database.py",
        "tests/pipeline/metadata/test_run_lock.py",
    ),
    # The same programs are compiled again and again, and kept for a worker's later tests.
    "trainings": ("tests/modules/training/", "tests/modules/test_tuner.py"),
    # Half of the networks, so that two workers share them.
    "networks": ("tests/modules/networks/test_convolutional.py",),
    "device models": (
        "tests/apps/",
        "tests/examples/",
        "tests/modules/export/",
        "tests/modules/inference/",
        "tests/modules/inspection/",
        "tests/modules/networks/test_others.py",
        "tests/serve/client/",
        "tests/pipeline/components/parity/",
        "tests/pipeline/components/test_comparison.py",
        "tests/pipeline/components/test_evaluator.py",
        "tests/pipeline/components/test_quantizer.py",
        "tests/pipeline/verdict/test_device_package.py",
        "tests/pipeline/verdict/test_run_models.py",
        "tests/benchmarks/test_rounding.py",
        "tests/benchmarks/test_runtime_parity.py",
    ),
    "object stores": ("tests/pipeline/storage/",),
    "model server": ("tests/serve/server/", "tests/project/test_serve_image.py"),
}
_WHOLE_PIPELINES = "tests/e2e/"


def group_of(file: str) -> str:
    """Returns the name of a file's group, which is that of the file where it stands in none."""
    for name, paths in GROUPS.items():
        if file.startswith(paths):
            return name
    return file.removeprefix("tests/").removesuffix(".py")


def rank_of(file: str) -> tuple[bool, int]:
    """Returns what to sort files by, so that those that cost most come first."""
    names = [*GROUPS, group_of(file)]
    return not file.startswith(_WHOLE_PIPELINES), names.index(group_of(file))


class ByGroup(LoadScopeScheduling):
    """Gives groups to workers as they stand, since the marks of `--dist loadgroup` have no effect.

    They would be part of a test's id, which pytest 9.2 lets nobody change
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    @staticmethod
    def _split_scope(nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])

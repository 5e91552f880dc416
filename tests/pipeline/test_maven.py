"""Maven is run where it is there, and says why it fails."""

from pathlib import Path

import pytest

from pipeline import maven


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '[ERROR] of the end'", None),
        (
            "echo '[INFO] so far'; echo '[ERROR] no such file'; echo '[ERROR] more'; exit 1",
            "no such file",
        ),
        ("exit 7", "status 7"),
    ],
)
def test_the_first_error_is_the_reason(
    script: str, reason: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not maven.has_maven()
    program = tmp_path / "mvn"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert maven.has_maven()
    found = maven.run("package")
    assert found == reason


def test_sums_are_checked_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mvn"
    program.write_text('#!/bin/sh\necho "[ERROR] $*"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert maven.run("package", "-Px") == (
        "--batch-mode --no-transfer-progress --strict-checksums package -Px"
    )

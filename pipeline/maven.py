"""Maven, which takes files in Java's repositories; it checks them against the repository's sums."""

import shutil
import subprocess

NO_MAVEN = "there is no Maven to take it with (Debian: apt install maven)"


def has_maven() -> bool:
    """Whether it is on the PATH."""
    return bool(shutil.which("mvn"))


def run(*arguments: str) -> str | None:
    """Runs Maven; returns why it failed, or None where it did not."""
    command = ["mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not done.returncode:
        return None
    errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
    return errors[0].removeprefix("[ERROR] ") if errors else f"status {done.returncode}"

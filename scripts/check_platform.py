"""Says whether this Python can hold the locked packages: exit 0, or 1 and one sentence why not.

Runs on any Python, old ones included, before anything is installed.
"""

import platform
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def problem(version, system, machine, libc, libc_version):
    """Returns what is wrong in one sentence, or "" when wheels exist.

    Args:
      version: (major, minor) of Python.
      system: "Linux", "Darwin" or "Windows".
      machine: as `uname -m` gives it.
      libc: "glibc", or anything else for another C library.
      libc_version: (major, minor) of it.
    """
    python = "Python %d.%d" % version
    if not OLDEST <= version <= NEWEST:
        return "%s will not do: TFX 1.21 with this lock needs Python 3.11, 3.12 or 3.13." % python
    if system == "Darwin" and machine == "arm64":
        return ""
    if system != "Linux" or machine not in ("x86_64", "AMD64"):
        return (
            "There are no TFX wheels for %s on %s: use Linux on x86-64 (a container, WSL 2 or a "
            "virtual machine will do) or macOS on Apple silicon." % (system, machine)
        )
    if libc != "glibc":
        return "TFX's wheels need glibc, which this Linux does not have: use Debian 12 or the like."
    needed = (2, 28) if version == (3, 11) else (2, 39)
    if libc_version < needed:
        newer = "a newer system, such as Debian 12 with Python 3.11,"
        advice = "Python 3.11" if libc_version >= (2, 28) else newer
        return "%s would need glibc %d.%d and this system has %d.%d: use %s instead." % (
            (python, *needed, *libc_version, advice)
        )
    return ""


def main():
    """Checks the running interpreter."""
    name, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".")[:2]) if version else (0, 0)
    found = problem(
        tuple(sys.version_info[:2]), platform.system(), platform.machine(), name, numbers
    )
    if found:
        sys.stderr.write(found + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

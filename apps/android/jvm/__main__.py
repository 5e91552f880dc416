"""`python -m apps.android.jvm`: takes what the library needs on the JVM, and compiles it."""

import os
import sys

from apps.android import dependencies
from apps.android.jvm.classes import CLASSPATH, JVM, LIBRARY, compiled, has_java
from data.errors import ConfigError, disk_errors
from data.files import written_whole
from pipeline.running.exit_status import tells_wrong_settings


@tells_wrong_settings
def main() -> int:
    """Prints the classpath, and keeps it in a file for programs that may not import this."""
    if not has_java():
        raise ConfigError(
            "there is no JDK here, or this is no Linux on x86-64, which TFLite on the JVM is taken "
            "for (Debian: apt install default-jdk-headless)"
        )
    dependencies.fetch("jvm", "test")
    jars = dependencies.files("jvm")
    classpath = os.pathsep.join(map(str, [compiled([LIBRARY, JVM], jars), *jars]))
    with disk_errors("write", CLASSPATH), written_whole(CLASSPATH) as file:
        file.write(f"{classpath}\n".encode())
    print(classpath)
    return 0


if __name__ == "__main__":
    sys.exit(main())

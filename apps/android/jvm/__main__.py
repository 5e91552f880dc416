"""`python -m apps.android.jvm`: takes what the library needs on the JVM, and compiles it."""

import os
import sys

from apps.android import dependencies
from apps.android.jvm.classes import JVM, LIBRARY, compiled, has_java
from data.errors import ConfigError
from pipeline.running.exit_status import tells_wrong_settings


@tells_wrong_settings
def main() -> int:
    """Prints the classpath."""
    if not has_java():
        raise ConfigError(
            "there is no JDK here, or this is no Linux on x86-64, which TFLite on the JVM is taken "
            "for (Debian: apt install default-jdk-headless)"
        )
    dependencies.fetch("jvm", "test")
    jars = dependencies.files("jvm")
    print(os.pathsep.join(map(str, [compiled([LIBRARY, JVM], jars), *jars])))
    return 0


if __name__ == "__main__":
    sys.exit(main())

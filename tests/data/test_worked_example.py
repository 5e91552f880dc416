"""The worked example of docs/data.md, run as it is printed."""

import re
import subprocess
import sys
from pathlib import Path

from data.files import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "data.md").read_text()


def test_the_example_is_true(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [said] = re.findall(r"python -m data shapes` then says\n\n```\n(.*?)```", PAGE, re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "data", "shapes"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == said

"""The digests that make TFX's cache notice edited code and other versions of packages."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError
from data.files import PROJECT_ROOT
from modules.provenance.fingerprint import fingerprint
from modules.provenance.import_closure import Code

if TYPE_CHECKING:
    from tfx.dsl.components.base.base_node import BaseNode

# All that a pipeline is compiled from and its nodes run.
CODE = ("data/**/*.py", "modules/**/*.py", "pipeline/**/*.py", "pipeline/report/templates/*")

PARAMETER = "source_digest"


def attach_digests(components: Iterable["BaseNode"], code: Code | None = None) -> None:
    """Gives every component the digest of the code that its executor runs, as a parameter.

    TFX's cache knows the parameters of a component, but of its code only the class name. The
    parameter is in no component's specification, so executors need not know about it. A Resolver
    has no executor, and its results are never cached.

    Args:
      components: with all their parameters and their final executors.
      code: as it is on the disk; None reads it now.
    """
    code = code or Code()
    for component in components:
        if modules := executed_modules(component, code):
            component.exec_properties[PARAMETER] = fingerprint(modules, code)


def executed_modules(component: "BaseNode", code: Code | None = None) -> list[str]:
    """Returns the names of what TFX imports to run a component; none for one without an executor.

    These are the modules of its executor's class and of those that it derives from, and what
    parameters name, such as `modules.run_fn.run_fn`.
    """
    from tfx.dsl.components.base.base_component import BaseComponent  # here: TFX takes its time

    if not isinstance(component, BaseComponent):
        return []
    code = code or Code()
    executor = component.executor_spec.executor_class
    named = [code.named_in(str(value)) for value in component.exec_properties.values()]
    return sorted({base.__module__ for base in executor.__mro__}.union(*named))


def check_unedited(components: Iterable["BaseNode"], moment: float) -> None:
    """Makes sure that this process runs the code that the components' digests describe.

    Args:
      components: that this process is to run.
      moment: a time before it imported any code of ours, as time.time().

    Raises:
      ConfigError: a file was edited since. Python may have read it before that, and TFX's cache
        would take results of the old code for results of the new.
    """
    code = Code()
    for component in components:
        code.closure(executed_modules(component, code))
    if edited := code.changed_since(moment):
        raise ConfigError(f"{edited[0]} was edited while the run was starting; start it again")


def code_digest(root: Path = PROJECT_ROOT) -> str:
    """Returns the digest of CODE, by which a container's image is known to hold the same code.

    Raises:
      FileNotFoundError: a pattern matches nothing.
    """
    paths = set()
    for pattern in CODE:
        found = set(root.glob(pattern))
        if not found:
            raise FileNotFoundError(f"no file matches {pattern} in {root}")
        paths |= found
    digest = hashlib.sha256()
    for path in sorted(paths):
        name = path.relative_to(root).as_posix().encode()
        digest.update(b"%d %s %d " % (len(name), name, path.stat().st_size) + path.read_bytes())
    return digest.hexdigest()

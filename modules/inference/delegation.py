"""Which operators of a TFLite model XNNPACK takes, found in a process of its own if need be.

LiteRT may end the process that it is in over a damaged or an odd model; nothing in that process
could catch it.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping

from ai_edge_litert.interpreter import Interpreter

from data.files import PROJECT_ROOT
from modules.inference import litert

Layers = Mapping[str, tuple[str, ...]]  # names of tensors, by what computes them

_SECONDS = 120
# Before the model is laid out in memory, after that, and where LiteRT refuses it.
_READ, _LAID_OUT, _REFUSED = "read", "laid out", "refused"


@dataclasses.dataclass(frozen=True)
class Trial:
    """What became of a model in LiteRT, which laid it out in memory and did not run it.

    Attributes:
      is_read: whether LiteRT takes the file for a whole TFLite file.
      undelegated: what `undelegated` finds; None where the model could not be laid out.
      problem: why it could not, in LiteRT's words or in ours; "" where it could.
    """

    is_read: bool
    undelegated: Layers | None
    problem: str


def undelegated(interpreter: Interpreter) -> Layers:
    """Returns the operators that run outside of XNNPACK: names of what they compute, by operator.

    The interpreter keeps a delegated operator in its list, beside the DELEGATE operator that runs
    instead; so the results are followed back from the output.
    """
    interpreter.allocate_tensors()
    producers = {}
    for operator in interpreter._get_ops_details():  # delegates come last, and win
        producers |= {int(output): operator for output in operator["outputs"]}
    outside: dict[int, tuple[str, str]] = {}
    seen: set[int] = set()
    tensors = [entry["index"] for entry in interpreter.get_output_details()]
    while tensors:
        tensor = tensors.pop()
        operator = producers.get(tensor)
        if operator is None or tensor in seen:
            continue
        seen.add(tensor)
        if operator["op_name"] != "DELEGATE":
            name = interpreter._get_tensor_details(int(operator["outputs"][0]), 0)["name"]
            outside[operator["index"]] = (operator["op_name"], name)
        tensors += [int(source) for source in operator["inputs"]]
    found: dict[str, tuple[str, ...]] = {}
    for _, (operator_name, name) in sorted(outside.items()):
        found[operator_name] = (*found.get(operator_name, ()), name)
    return found


def try_out(path: str) -> Trial:
    """Has LiteRT read a model and lay it out, with XNNPACK, in a process of its own.

    Nothing of the model is run.

    Args:
      path: of the file.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "modules.inference.delegation", path],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
        lines = done.stdout.splitlines()
        ended = f"LiteRT ends the process that it is in over it (status {done.returncode})"
    except subprocess.TimeoutExpired as error:
        lines = (error.stdout or b"").decode(errors="replace").splitlines()
        ended = f"LiteRT is not done with it after {_SECONDS} s"
    said = dict(json.loads(line) for line in lines if line.startswith("["))
    if _LAID_OUT in said:
        found = {operator: tuple(names) for operator, names in said[_LAID_OUT].items()}
        return Trial(is_read=True, undelegated=found, problem="")
    return Trial(_READ in said, None, said.get(_REFUSED, ended))


def _say(word: str, what: object) -> None:
    print(json.dumps([word, what]), flush=True)


def _try_out_here(path: str) -> None:
    try:
        interpreter = litert.make_interpreter(path)
        _say(_READ, None)
        _say(_LAID_OUT, undelegated(interpreter))
    except (RuntimeError, ValueError) as error:
        _say(_REFUSED, next(iter(str(error).splitlines()), type(error).__name__))


if __name__ == "__main__":
    _try_out_here(sys.argv[1])

"""The command of LiteRT's own runtimes: `run_model.py KERNELS MODEL INPUTS OUTPUTS`.

It is a process of its own, since LiteRT may end the one that it is in over a damaged file. It
imports nothing of the project, so that it starts fast.
"""

import contextlib
import resource
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {
    "xnnpack": OpResolverType.BUILTIN,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}
CANNOT_RUN = 3  # as all commands of the catalogue have it
_MOST_MEMORY = 16 << 30  # bytes: a damaged file may ask for any


def main(arguments: list[str]) -> int:
    """Runs a model on one thread, image by image; returns the exit status of the contract."""
    kernels, model, inputs, outputs = arguments
    with contextlib.suppress(ValueError, OSError):  # a lower limit may stand already
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    try:
        interpreter = Interpreter(
            model, num_threads=1, experimental_op_resolver_type=KERNELS[kernels]
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return CANNOT_RUN
    (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = np.fromfile(inputs, entry["dtype"]).reshape((-1, *entry["shape"]))
    with open(outputs, "wb") as file:
        for row in rows:
            interpreter.set_tensor(entry["index"], row)
            interpreter.invoke()
            file.write(interpreter.get_tensor(result["index"]).tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m apps.micro`: the pushed model in integers as C files, tried and measured."""

import os
import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from apps.micro import model_file, samples, tflm, vela
from apps.micro.writing import Found, write
from data.errors import FAILED
from data.texts import check_texts
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.storage import locations
from serve.client import package

_SETTINGS = ("OUTPUT", "DATASET", "PUSH_TO", "IMAGE_SIZE", "MNIST_DIR", "DATA_CACHE")
_FOLDER = "micro"
_WIDEST = 10_000  # columns, of which a table takes what it needs


@tells_wrong_settings
def main() -> int:
    """Runs the command as the environment says; returns the exit status."""
    check_texts(os.environ, _SETTINGS)
    pushed = package.find(os.environ, False)
    model = model_file.find(pushed)
    folder = pushed.output.absolute() / _FOLDER
    locations.make_writable("OUTPUT", folder)
    console = Console(highlight=False)
    _say(console, str(model.path))
    chosen = samples.choose(os.environ, pushed.task, model)
    _say(console, f"{len(chosen.answers.outputs)} test images read by TensorFlow Lite Micro")
    arena_bytes = tflm.least_arena(model, chosen.inputs[:1], chosen.answers.arena_bytes)
    _say(console, f"an arena of {arena_bytes:,} bytes does, 16 bytes less do not")
    outputs = tflm.ask(model, chosen.inputs, arena_bytes).outputs
    (folder / "vela").mkdir(exist_ok=True)
    npus = tuple(
        vela.compile_for(accelerator, model.path, folder / "vela")
        for accelerator in vela.ACCELERATORS
    )
    found = Found(pushed.task, model, chosen, outputs, arena_bytes, npus)
    write(found, folder)
    _show(found, console)
    _say(console, str(folder))
    if not found.is_right:
        print(f"error: {_wrong(found)}", file=sys.stderr)
        return FAILED
    return 0


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False)


def _show(found: Found, console: Console) -> None:
    rows = [
        ("model, in flash", f"{len(found.model.content):,} bytes"),
        ("arena, in RAM", f"{found.arena_bytes:,} bytes"),
        ("an image, on this machine", f"{found.samples.answers.seconds * 1e3:.2f} ms"),
    ]
    labels = found.model.labels
    scores = found.model.output.real(found.outputs).max(axis=1)
    for label, said, score in zip(found.samples.labels, found.said, scores, strict=True):
        what = f"test image of {_plain(labels[label])}"
        rows.append((what, f"the model says {_plain(labels[said])}, score {score:.2f}"))
    for npu in found.npus:
        left = ", ".join(npu.cpu_operators) or "nothing"
        rows.append((
            npu.accelerator,
            f"SRAM {npu.sram_bytes:,} bytes, {npu.cycles:,} cycles, "
            f"{npu.inferences_per_second:,.0f} a second at {npu.clock_hz // 10**6} MHz, "
            f"left to the CPU: {left}",
        ))  # fmt: skip
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    if not console.is_terminal:
        console = Console(file=console.file, width=_WIDEST, highlight=False)
    console.print(table)


def _wrong(found: Found) -> str:
    right = sum(label == said for label, said in zip(found.samples.labels, found.said, strict=True))
    return (
        f"{found.model.path}: reads {right} of {len(found.said)} test images rightly, expected "
        "all; see its accuracy in the report"
    )


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


if __name__ == "__main__":
    sys.exit(main())

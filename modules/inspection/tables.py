"""A report as tables on the terminal, in 80 columns and more."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from modules.inspection.report import (
    DeviceModel,
    Operator,
    Parameters,
    Quantization,
    ServerModel,
    Shape,
    Signature,
    Variable,
)

_NUMBERS = ("count", "XNNPACK", "numbers", "bytes")
_NAMES = ("name", "operator", "variable")  # columns that are folded where there is no room
_MOST_VARIABLES = 20  # that are shown; JSON has all of them


def show(report: DeviceModel | ServerModel, console: Console) -> None:
    """Prints a report.

    Args:
      report: what to print.
      console: where to.
    """
    if isinstance(report, DeviceModel):
        _show_device_model(report, console)
    else:
        _show_server_model(report, console)


def _show_device_model(report: DeviceModel, console: Console) -> None:
    made = f", {_plain(report.description)}" if report.description else ""
    _say(console, f"{report.path}: TFLite, {report.bytes:,} bytes{made}")
    _show_signatures(report.signatures, console)
    _show_operators("operators", report.operators, console, with_xnnpack=not report.problem)
    _show_parameters(report.parameters, console)
    if report.problem:
        _say(console, f"LiteRT does not take it: {report.problem}")


def _show_server_model(report: ServerModel, console: Console) -> None:
    _say(
        console,
        f"{report.path}: SavedModel of TensorFlow {report.tensorflow or '?'}, tags "
        f"{', '.join(report.tags) or 'none'}, {report.bytes:,} bytes: {report.graph_bytes:,} of "
        f"graph, {report.variable_bytes:,} of variables",
    )
    _show_signatures(report.signatures, console)
    _show_operators("operators", report.operators, console)
    if report.stablehlo is None:
        _say(console, "JAX's functions inside cannot be read here: of another StableHLO version")
    elif report.stablehlo:
        _show_operators("StableHLO in XlaCallModule", report.stablehlo, console)
    for names, what in (
        (report.unknown_operators, "operators that this TensorFlow does not know"),
        (report.reaching_operators, "a call would read or write files, print, or run Python"),
    ):
        if names:
            _say(console, f"{what}: {', '.join(names)}")
    _show_parameters(report.parameters, console)
    if report.constants:
        _say(console, f"constants in the graph: {report.constants:,} floating-point numbers")
    sizes = ", ".join("any" if size is None else str(size) for size in report.batch_sizes)
    _say(console, f"batch sizes it was traced for: {sizes or 'unknown'}")
    tuning = report.fine_tuning
    _say(console, f"can be fine-tuned: {'yes' if tuning.is_possible else 'no'}: {tuning.reason}")
    _show_trainable(tuning.trainable, console)


def _table(title: str, *columns: str) -> Table:
    """Returns an empty table."""
    table = Table(
        title=Text(title),
        title_justify="left",
        box=box.SIMPLE,
        padding=(0, 1),
        pad_edge=False,
        collapse_padding=True,
    )
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in _NUMBERS else "left",
            overflow="fold",
            no_wrap=column not in _NAMES,
        )
    return table


def _show_signatures(signatures: tuple[Signature, ...], console: Console) -> None:
    for signature in signatures:
        title = f"signature {signature.name}" if signature.name else "no signature; the graph has"
        tensors = (*signature.inputs, *signature.outputs)
        with_quantization = any(tensor.quantization for tensor in tensors)
        more = ["quantization"] if with_quantization else []
        table = _table(_plain(title), "", "name", "dtype", "shape", *more)
        for place, tensor in enumerate(tensors):
            way = "in" if place < len(signature.inputs) else "out"
            cells = [Text(_plain(tensor.name)), tensor.dtype, Text(_shape(tensor.shape))]
            quantization = [_quantization(tensor.quantization)] if with_quantization else []
            table.add_row(way, *cells, *quantization)
        console.print(table)
    if not signatures:
        _say(console, "no signatures")


def _show_operators(
    title: str, operators: tuple[Operator, ...], console: Console, with_xnnpack: bool = False
) -> None:
    total = sum(operator.count for operator in operators)
    columns = ("operator", "count", *(["XNNPACK"] if with_xnnpack else []))
    table = _table(f"{title}: {total:,}", *columns)
    for operator in operators:
        taken = "?" if operator.xnnpack is None else f"{operator.xnnpack:,}"
        cells = [Text(_plain(operator.name)), f"{operator.count:,}"]
        table.add_row(*cells, *([taken] if with_xnnpack else []))
    console.print(table)


def _show_parameters(parameters: tuple[Parameters, ...], console: Console) -> None:
    table = _table(
        f"parameters: {sum(each.numbers for each in parameters):,}", "dtype", "numbers", "bytes"
    )
    for each in parameters:
        table.add_row(each.dtype, f"{each.numbers:,}", f"{each.bytes:,}")
    console.print(table)


def _show_trainable(variables: tuple[Variable, ...], console: Console) -> None:
    if not variables:
        return
    total = sum(variable.numbers for variable in variables)
    table = _table(f"trainable: {total:,}", "variable", "dtype", "shape", "numbers")
    for each in variables[:_MOST_VARIABLES]:
        name, shape = Text(_plain(each.name)), Text(_shape(each.shape))
        table.add_row(name, each.dtype, shape, f"{each.numbers:,}")
    console.print(table)
    if more := variables[_MOST_VARIABLES:]:
        _say(console, f"and {len(more):,} more, which --json (JSON=1) lists")


def _shape(shape: Shape) -> str:
    if shape is None:
        return "any"
    return f"[{', '.join('any' if length is None else str(length) for length in shape)}]"


def _quantization(found: Quantization | None) -> str:
    if found is None:
        return ""
    if len(found.scales) > 1:
        return f"{len(found.scales)} scales along axis {found.axis}"
    return f"scale {found.scales[0]:.6g}, zero point {found.zero_points[0]}"


def _plain(text: str) -> str:
    """Returns a text of a file's without what would steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _say(console: Console, line: str) -> None:
    console.print(Text(_plain(line)), soft_wrap=True)

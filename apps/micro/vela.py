"""What Arm's compiler Vela makes of a model for Ethos-U NPUs, and what it expects of that."""

import csv
import dataclasses
import re
import subprocess
from pathlib import Path

from apps.micro.tflm import BIN
from data.errors import DataError

_SECONDS = 600
_KIB = 1024


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """An NPU in a system of memories, each by its name in Vela's own `Arm/vela.ini`."""

    name: str
    system: str
    memory: str


ACCELERATORS = (
    Accelerator("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram"),
    Accelerator("ethos-u65-256", "Ethos_U65_Client_Server", "Dedicated_Sram_384KB"),
    Accelerator("ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What Vela says of a model that it compiled.

    Attributes:
      accelerator: its name.
      system: configuration of the system.
      memory: mode of the memories.
      file: name of the compiled model.
      sram_bytes: for activations, and for weights on their way to the NPU.
      flash_bytes: off the chip or on it.
      dram_bytes: of systems with DRAM, for what others have in flash.
      clock_hz: of the NPU.
      cycles: of an inference.
      inferences_per_second: at that clock.
      npu_operators: how many run on the NPU, as Vela counts them.
      cpu_operators: those left to the CPU, by the names of the layers that they compute.
    """

    accelerator: str
    system: str
    memory: str
    file: str
    sram_bytes: int
    flash_bytes: int
    dram_bytes: int
    clock_hz: int
    cycles: int
    inferences_per_second: float
    npu_operators: int
    cpu_operators: tuple[str, ...]


def compile_for(accelerator: Accelerator, model: Path, folder: Path) -> Estimate:
    """Compiles a `.tflite` file into a folder.

    Raises:
      DataError: Vela cannot compile it.
    """
    command = [
        BIN / "vela", model, "--output-dir", folder, "--show-cpu-operations",
        "--config", "Arm/vela.ini", "--accelerator-config", accelerator.name,
        "--system-config", accelerator.system, "--memory-mode", accelerator.memory,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
    )
    summary = folder / f"{model.stem}_summary_{accelerator.system}.csv"
    if done.returncode or not summary.exists():
        reason = ((done.stderr or done.stdout).strip().splitlines() or ["it says nothing"])[-1]
        raise DataError(f"{model}: Vela cannot compile it for {accelerator.name} ({reason})")
    compiled = folder / f"{accelerator.name}.tflite"
    (folder / f"{model.stem}_vela.tflite").replace(compiled)
    with open(summary, newline="") as file:
        [row] = csv.DictReader(file)
    summary.unlink()
    return _estimate(accelerator, compiled.name, row, done.stdout)


def _estimate(accelerator: Accelerator, file: str, row: dict[str, str], said: str) -> Estimate:
    [npu_operators] = re.findall(r"^NPU operators = (\d+) ", said, re.MULTILINE)
    flash = ("on_chip_flash_memory_used", "off_chip_flash_memory_used")
    return Estimate(
        accelerator=accelerator.name,
        system=accelerator.system,
        memory=accelerator.memory,
        file=file,
        sram_bytes=_bytes(row["sram_memory_used"]),
        flash_bytes=sum(_bytes(row[name]) for name in flash),
        dram_bytes=_bytes(row["dram_memory_used"]),
        clock_hz=round(float(row["core_clock"])),
        cycles=int(row["cycles_total"]),
        inferences_per_second=float(row["inferences_per_second"]),
        npu_operators=int(npu_operators),
        cpu_operators=tuple(re.findall(r"^ +CPU: \w+ = (.+) \(outputs", said, re.MULTILINE)),
    )


def _bytes(kib: str) -> int:
    return round(float(kib) * _KIB)

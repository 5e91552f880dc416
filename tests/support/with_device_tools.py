"""What the tests do with the libraries of .venv-tools, whose Python runs this file.

quantize RECIPE FOLDER IMAGES MODEL...: writes what ai-edge-quantizer makes of the models.
run_on_micro MODEL ARENA_BYTES INPUTS OUTPUTS: runs a model in TFLite Micro, one image at a time.
"""

import sys
from pathlib import Path

import numpy as np


def quantize(name: str, folder: str, images: str, *models: str) -> None:
    from ai_edge_quantizer import quantizer, recipe

    for model in models:
        quantization = quantizer.Quantizer(model, getattr(recipe, name)())
        ranges = None
        if quantization.need_calibration:
            samples = [{"image_floats": image[np.newaxis]} for image in np.load(images)]
            ranges = quantization.calibrate({"serving_default": samples})
        quantized = quantization.quantize(ranges).quantized_model
        Path(folder, Path(model).name).write_bytes(quantized)


def run_on_micro(model: str, arena_bytes: str, inputs: str, outputs: str) -> None:
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(model, arena_size=int(arena_bytes))
    results = []
    for image in np.load(inputs):
        interpreter.set_input(image[np.newaxis], 0)
        interpreter.invoke()
        results.append(interpreter.get_output(0)[0].copy())
    np.save(outputs, np.stack(results))


if __name__ == "__main__":
    {"quantize": quantize, "run_on_micro": run_on_micro}[sys.argv[1]](*sys.argv[2:])

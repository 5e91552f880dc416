"""What the tests do with the libraries of .venv-tools, whose Python runs this file.

quantize RECIPE FOLDER IMAGES MODEL...: writes what ai-edge-quantizer makes of the models.
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


if __name__ == "__main__":
    {"quantize": quantize}[sys.argv[1]](*sys.argv[2:])

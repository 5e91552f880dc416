"""The ways to make a TFLite model of the trained network, each a named recipe.

See https://ai.google.dev/edge/litert/models/post_training_quantization for what TFLite's converter
does. Imports nothing but Python's own, so that settings can be checked before TensorFlow is loaded.
"""

import dataclasses

_FLOAT32_BYTES = 4
SMALLEST_QUANTIZED = 1024  # weights; TFLite's converter leaves smaller arrays as they are


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one variant is converted, and the bounds that its conversion is held to.

    Differences of logits are in units of their spread, the standard deviation of JAX's logits.

    Attributes:
      name: of the variant, in file names, node ids and reports.
      summary: what it is, in a clause.
      weight_bytes: size of a weight in the file, in all but the smallest arrays.
      integer_activations: activations are int8 too; their ranges come from representative data.
        Operators that TFLite has no integer kernel for stay in float32.
      integer_io: all is int8, input and output too; scale and zero point are in the file.
      max_logit_difference: largest allowed difference from JAX, on real examples, right after the
        conversion.
      tie: classes whose logits JAX has closer together than this count as equal.
      min_agreement: share of real examples that must have JAX's argmax, or one that is equal to
        it, right after the conversion.
    """

    name: str
    summary: str
    weight_bytes: int
    integer_activations: bool = False
    integer_io: bool = False
    max_logit_difference: float = 1e-4
    tie: float = 2e-4
    min_agreement: float = 1.0

    @property
    def is_quantized(self) -> bool:
        """Whether the weights are anything less than float32."""
        return self.weight_bytes < _FLOAT32_BYTES


FLOAT32 = Recipe(
    name="float32",
    summary="as trained: weights and activations in float32",
    weight_bytes=_FLOAT32_BYTES,
)
FLOAT16 = Recipe(
    name="float16",
    summary="weights in float16, computed in float32 on CPUs, in float16 on GPUs that can",
    weight_bytes=2,
    max_logit_difference=0.03,
    tie=0.01,
    min_agreement=0.998,
)
DYNAMIC_RANGE = Recipe(
    name="dynamic_range",
    summary="weights in int8, activations quantized on the fly: the fastest on CPUs",
    weight_bytes=1,
    max_logit_difference=0.5,
    tie=0.1,
    min_agreement=0.995,
)
INT8 = Recipe(
    name="int8",
    summary="weights and activations in int8, float32 in and out: a drop-in for float32",
    weight_bytes=1,
    integer_activations=True,
    # Images whose activations leave the ranges that the sample shows are far off.
    max_logit_difference=2.0,
    tie=0.2,
    min_agreement=0.99,
)
INT8_IO = dataclasses.replace(
    INT8,
    name="int8_io",
    summary="int8 from input to output, for microcontrollers and NPUs without floats",
    integer_io=True,
)

RECIPES = {recipe.name: recipe for recipe in (FLOAT32, FLOAT16, DYNAMIC_RANGE, INT8, INT8_IO)}

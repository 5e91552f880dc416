"""Networks that people commonly write, as models: what training and exports have to take."""

from modules.models import linen, nnx_model
from modules.models.protocol import Model
from tests.support.networks import branches, convolutions, others, sequences

CONVOLUTIONAL: dict[str, Model] = {
    name: linen(lambda task, make=make: make(num_classes=task.num_classes))
    for name, make in {**convolutions.LINEN, **branches.LINEN}.items()
}
OTHERS: dict[str, Model] = {
    **{
        name: linen(lambda task, make=make: make(num_classes=task.num_classes))
        for name, make in sequences.LINEN.items()
    },
    **{
        name: nnx_model(
            lambda task, rngs, make=make: make(task.image_shape, task.num_classes, rngs)
        )
        for name, make in others.NNX.items()
    },
    **others.PURE,
}
NETWORKS = {**CONVOLUTIONAL, **OTHERS}

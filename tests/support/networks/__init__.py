"""Networks that people commonly write, each a function of a task: what an export has to take."""

import functools
from collections.abc import Callable

from data.task import Task
from tests.support.networks import branches, convolutions, others, sequences
from tests.support.networks.plain import PlainModel, of_linen, of_nnx

NETWORKS: dict[str, Callable[[Task], PlainModel]] = {
    **{
        name: functools.partial(of_linen, network)
        for group in (convolutions, branches, sequences)
        for name, network in group.LINEN.items()
    },
    **{name: functools.partial(of_nnx, network) for name, network in others.NNX.items()},
    **others.PURE,
}

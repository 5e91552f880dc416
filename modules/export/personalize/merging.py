"""Several TFLite files as one, with the signatures of all."""

from collections.abc import Sequence

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

# Of operators that run other graphs: the fields that say which.
_GRAPH_FIELDS = (
    *("condSubgraphIndex", "bodySubgraphIndex", "thenSubgraphIndex", "elseSubgraphIndex"),
    *("subgraph", "initSubgraphIndex", "subgraphIndex"),
)


def merged(models: Sequence[schema.ModelT]) -> schema.ModelT:
    """Returns a model with the graphs and signatures of all; each constant is there once.

    Args:
      models: with different names of signatures; they are not to be used any more.
    """
    whole, *others = models
    whole.metadata, whole.metadataBuffer = None, None
    for other in others:
        codes, buffers = len(whole.operatorCodes), len(whole.buffers)
        graphs = len(whole.subgraphs)
        for graph in other.subgraphs:
            for tensor in graph.tensors:
                tensor.buffer += buffers
            for operator in graph.operators:
                operator.opcodeIndex += codes
                _move_graphs(operator, graphs)
        for signature in other.signatureDefs:
            signature.subgraphIndex += graphs
        whole.operatorCodes += other.operatorCodes
        whole.buffers += other.buffers
        whole.subgraphs += other.subgraphs
        whole.signatureDefs += other.signatureDefs
    _keep_each_once(whole)
    return whole


def rename(model: schema.ModelT, signature: str, new_name: str, outputs: dict[str, str]) -> None:
    """Gives a signature and its outputs other names.

    Args:
      model: that has it.
      signature: its name.
      new_name: its new one.
      outputs: the new names of its outputs, by the old ones.
    """
    for found in model.signatureDefs:
        if found.signatureKey.decode() == signature:
            found.signatureKey = new_name.encode()
            for entry in found.outputs:
                name = entry.name.decode()
                entry.name = outputs.get(name, name).encode()


def _move_graphs(operator: schema.OperatorT, graphs: int) -> None:
    for options in (operator.builtinOptions, operator.builtinOptions2):
        for field in _GRAPH_FIELDS:
            index = getattr(options, field, None)
            if isinstance(index, int) and index >= 0:
                setattr(options, field, index + graphs)


def _keep_each_once(model: schema.ModelT) -> None:
    """Has tensors share constants that are equal, and drops what no tensor has."""
    kept, places, new = [model.buffers[0]], {b"": 0}, {}
    model.buffers[0].data = None  # what has no constant refers to it
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            index = tensor.buffer
            if index not in new:
                data = model.buffers[index].data
                content = b"" if data is None else np.asarray(data, np.uint8).tobytes()
                if content not in places:
                    places[content] = len(kept)
                    kept.append(model.buffers[index])
                new[index] = places[content]
            tensor.buffer = new[index]
    model.buffers = kept

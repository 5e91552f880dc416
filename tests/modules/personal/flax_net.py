"""A head of a user's: layer normalization and two dense layers, in Linen."""

from flax import linen as nn

from modules.personal import linen_head


class Net(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, features):
        x = nn.gelu(nn.Dense(24)(nn.LayerNorm()(features)))
        return nn.Dense(self.num_classes)(x)


HEAD = linen_head(Net)

"""Muon: orthogonal steps for matrices, AdamW's for the rest; the same after a checkpoint."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from judgekit.training.muon import Muon, orthogonal  # noqa: E402


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = torch.nn.Embedding(7, 4), torch.nn.Linear(4, 7)
        self.high, self.wide, self.norm = torch.nn.Linear(4, 6), torch.nn.Linear(6, 4), torch.nn.LayerNorm(4)

    def get_input_embeddings(self):
        return self.table

    def get_output_embeddings(self):
        return self.head

    def forward(self, ids):
        return self.head(self.norm(self.wide(self.high(self.table(ids)))))


def learn(net: Net, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    ids, losses = torch.arange(7), []
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(net(ids), ids)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def make(seed: int = 0) -> tuple[Net, Muon]:
    torch.manual_seed(seed)
    net = Net()
    return net, Muon(net, 0.05, lr=0.05, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0)


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 9), (2, 16, 64)])
def test_singular_values_come_close_to_one(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.min() > 0.3 and values.max() < 1.3


def test_singular_vectors_stay():
    """Against torch's singular value decomposition: the nearest orthonormal rows are U V'."""
    torch.manual_seed(0)
    matrix = torch.randn(1, 8, 32)
    u, _, v = torch.linalg.svd(matrix[0], full_matrices=False)
    near = orthogonal(matrix)[0]
    assert torch.nn.functional.cosine_similarity(near.flatten(), (u @ v).flatten(), dim=0) > 0.97


def test_only_inner_matrices_are_its_own():
    net, optimizer = make()
    own = {id(p) for group in optimizer.param_groups if group["muon"] for p in group["params"]}
    assert own == {id(net.high.weight), id(net.wide.weight)}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(net.parameters()))


def test_the_first_step_by_hand():
    net, optimizer = make()
    before = net.high.weight.detach().clone()
    ids = torch.arange(7)
    torch.nn.functional.cross_entropy(net(ids), ids).backward()
    gradient = net.high.weight.grad.clone()
    optimizer.step()
    # Momentum begins at 0.05 g, and Nesterov's update is 0.05 g + 0.95 (0.05 g): a multiple of g, so g decides alone.
    step = orthogonal(gradient.mT[None])[0].mT
    assert torch.allclose(net.high.weight, before - 0.2 * 0.05 * 6**0.5 * step, atol=1e-6)


def test_it_learns_and_goes_on_from_its_state():
    net, optimizer = make()
    assert learn(net, optimizer, 30)[-1] < 0.3
    again, other = make(1)
    again.load_state_dict(net.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert learn(again, other, 5) == pytest.approx(learn(net, optimizer, 5))


def test_sharded_weights_are_refused():
    from judgekit.errors import ConfigError
    from judgekit.training.sft import _muon

    with pytest.raises(ConfigError, match="sharded"):
        _muon(SimpleNamespace(is_deepspeed_enabled=False, is_fsdp_enabled=True), 0.01)

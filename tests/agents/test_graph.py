"""``GraphNet``: what it can't help seeing, what it can't see, and its parts against plain loops."""

import networkx as nx
import numpy as np
import pytest
import torch
from tensordict import TensorDict

from pvg.agents.agent import Agent
from pvg.agents.graph import GINLayer, GraphNet, closed_walks, compare
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.protocols import nip
from pvg.errors import UserError

SIZES = {"layers": 2, "width": 16, "hidden": 16, "heads": 2}


def game(**options):
    made = {"slots": 4, "train": 40, "test": 20, "nodes": (7, 8), "scores": {1: 0.2, 2: 0.3, 3: 0.5}}
    return GraphIsomorphism(nip(2, first_decision=-1), **(made | options))


def view_of(env, agent="prover", rounds=1):
    """What the agent sees of some games in the second round."""
    index = torch.arange(30)
    games = env.new_games(index, index)
    games["transcript"][:, 0, 0] = index.to(torch.int16) % 6
    games["round"].fill_(rounds)
    place = env.protocol.places(agent)[0]
    observation = env.observe(games, place)
    view = env.view(agent, observation)
    return {k: x.double() if x.is_floating_point() else x for k, x in view.items()}


def renamed(view, order):
    """The same pair with the nodes of B in another order."""
    adjacency, marks = view["adjacency"].clone(), view["marks"].clone()
    adjacency[:, 1] = adjacency[:, 1][:, order][:, :, order]
    marks[:, 1] = marks[:, 1][:, :, order]
    return view | {"adjacency": adjacency, "marks": marks}


@pytest.mark.parametrize("options", [{}, {"transformer": 1}, {"walks": 6}, {"walks": 6, "transformer": 2}])
def test_names_of_nodes_mean_nothing(options):
    env = game()
    torch.manual_seed(0)
    prover, verifier = (
        GraphNet(env, "prover", **SIZES, **options),
        GraphNet(env, "verifier", **SIZES, **options),
    )
    for module in (*prover.modules(), *verifier.modules()):  # the parts that begin at zero too
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.3)
    prover, verifier = prover.double(), verifier.double()
    order = torch.randperm(env.nodes)
    view = view_of(env)
    told, other = prover(view), prover(renamed(view, order))
    assert torch.allclose(other["message"], told["message"][..., order], atol=1e-6)
    assert torch.allclose(other["value"], told["value"], atol=1e-6)
    lacking = env.instances["size"][:30, 1] < env.nodes  # the smaller graphs have no last node
    assert ((told["message"][:, 0, -1] < -1e8) == lacking).all() and 0 < lacking.sum() < 30
    seen = view_of(env, "verifier")
    assert torch.allclose(verifier(seen)["decision"], verifier(renamed(seen, order))["decision"], atol=1e-6)


def test_a_gin_layer_is_that_of_the_paper():
    torch.manual_seed(0)
    layer = GINLayer(4, 8)
    graph = nx.gnp_random_graph(6, 0.5, seed=1)
    h = torch.randn(1, 6, 4)
    out = layer(h, torch.tensor(nx.to_numpy_array(graph), dtype=torch.float32)[None])[0]
    for i in graph:
        total = h[0, i] + sum(h[0, j] for j in graph[i])  # epsilon 0
        assert torch.allclose(out[i], layer.mlp(total), atol=1e-5)


def test_two_that_fit_have_no_gap_and_a_small_one_counts():
    a = torch.randn(3, 5)
    gap, unequal, total = compare(a, a + torch.tensor([0.0, 0.01, 1.0]).unsqueeze(1)).split(5, -1)
    assert (gap[0] == 0).all() and (unequal[0] == 0).all() and torch.allclose(total[0], 2 * a[0])
    assert (unequal[1] > 0.95).all() and (unequal[2] > 0.99).all() and torch.allclose(gap[2], torch.ones(5))


# ---------------------------------------------------------------------- closed walks
def test_closed_walks_are_powers_of_the_walk_s_matrix():
    graphs = [nx.gnp_random_graph(7, 0.4, seed=s) for s in (1, 2)]
    adjacency = np.stack([nx.to_numpy_array(g) for g in graphs])
    padded = torch.zeros(1, 2, 9, 9)
    padded[0, :, :7, :7] = torch.tensor(adjacency)
    exists = torch.zeros(1, 2, 9)
    exists[:, :, :7] = 1
    found = closed_walks(padded, exists, 5)[0, :, :7].numpy()
    walk = adjacency / np.maximum(adjacency.sum(-1, keepdims=True), 1)
    for k in range(2, 6):
        back = np.stack([np.diag(np.linalg.matrix_power(w, k)) for w in walk])
        expected = (back - back.mean()) / (back.std() + 1e-4)
        assert np.allclose(found[:, :, k - 2], expected, atol=1e-4)
    assert (closed_walks(padded, exists, 5)[0, :, 7:] == 0).all()


def test_walks_tell_the_nodes_of_a_regular_graph_apart_and_layers_alone_do_not():
    env = game(nodes=(12, 14), scores={1: 0.0, 2: 0.0, 3: 1.0}, regular=1.0, degree=3)
    index = torch.arange(40)
    games = env.new_games(index, index)
    true = env.instances["label"][index]
    witness = env.instances["witness"][index].long()
    hits = {}
    for walks in (0, 10):
        torch.manual_seed(0)
        agent = Agent(env, "prover", lambda e, n, w=walks: GraphNet(e, n, layers=4, walks=w))
        seen = env.observe(games, env.protocol.places("prover")[0])
        said = agent.act(TensorDict(seen, [40]), greedy=True)[0][:, 0]
        asked = games["coins"][:, 0, 0].long()
        hits[walks] = (said == witness.gather(1, asked[:, None])[:, 0])[true].float().mean()
    assert hits[0] < 0.4 < 0.7 < hits[10]


def test_a_walk_has_two_steps_at_least():
    with pytest.raises(UserError, match="2 or more"):
        GraphNet(game(), "prover", walks=1)

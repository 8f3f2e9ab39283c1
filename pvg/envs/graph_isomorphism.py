"""Graph isomorphism: are two graphs the same but for the names of their nodes?

The claim is that they are.  A shallow verifier can't tell; a prover that names which node of graph B
plays the part of a node of graph A lets it *check* what it can't find: the nodes named so far are marked
in the graphs that the networks see (individualisation), and marks that do not fit show up within a
round or two of message passing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.envs.exchange import ExchangeEnv
from pvg.envs.graphs import generate_split, line_of, read_pairs, replenish, without
from pvg.envs.payoffs import Payoff
from pvg.envs.protocols import Protocol
from pvg.envs.rules import BLANK, mix
from pvg.errors import UserError


class GraphIsomorphism(ExchangeEnv):
    """The exchange on pairs of graphs.

    Args:
        protocol, payoffs, slots, seed, device: see :class:`~pvg.envs.exchange.ExchangeEnv`.
        questions: who asks.  ``"drawn"``: the environment draws a node of graph A not asked before, each
            round (private coins: the verifier says nothing and no turn is wasted); provers answer with a
            node of B.  ``"learned"``: the verifier names the node (protocols in which it speaks first).
            ``"none"``: provers name a node of each graph.
        prover_knows: ``"label"`` or ``"nothing"``; both see the same graphs as the verifier.
        train, test: how many pairs to generate.
        nodes: fewest and most nodes, or the only number.
        density: lowest and highest share of edges, or the only one.
        scores: shares of the non-isomorphic pairs by Weisfeiler-Leman score (3 stands for 3 or more or never).
        regular: share of pairs of regular graphs, which Weisfeiler-Leman never tells apart.
        degree: lowest and highest degree of those, or the only one.
        pairs: a file of ``label<TAB>graph6<TAB>graph6`` lines to test on instead of generated pairs.  Training
            pairs with a graph of this file, up to isomorphism, are left out with a warning that counts them;
            where pairs are generated, others take their place.
        train_pairs: such a file to train on.
        data_seed: decides the generated pairs, so that runs with different seeds see the same data.

    Raises:
        UserError: questions that the protocol has no place for, more rounds than nodes to ask about, a pair file
            that can't be read (with the line) or that leaves nothing to train on.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        payoffs: Mapping[str, Payoff] | None = None,
        slots: int = 1024,
        seed: int = 0,
        device: str | torch.device = "cpu",
        questions: str = "drawn",
        prover_knows: str = "label",
        train: int = 20_000,
        test: int = 2_000,
        nodes: int | Sequence[int] = (7, 11),
        density: float | Sequence[float] = (0.2, 0.8),
        scores: Mapping[int, float] | None = None,
        regular: float = 0.0,
        degree: int | Sequence[int] = (3, 5),
        pairs: str | None = None,
        train_pairs: str | None = None,
        data_seed: int = 0,
    ):
        if questions not in ("drawn", "learned", "none"):
            raise UserError(f"env.questions={questions!r}: write drawn, learned or none.")
        if prover_knows not in ("label", "nothing"):
            raise UserError(f"env.prover_knows={prover_knows!r}: write label or nothing.")
        self.questions, self.prover_knows = questions, prover_knows
        made: dict[str, Any] = {"nodes": nodes, "density": density, "regular": regular}
        made |= {"degree": degree, "seed": data_seed, "scores": dict(scores or {1: 0.1, 2: 0.2, 3: 0.7})}
        held_out = read_pairs(pairs) if pairs else None
        if train_pairs:
            drawn = read_pairs(train_pairs)
            held_out = drawn[:0] if held_out is None else held_out
        else:
            drawn, generated = generate_split(train, 0 if pairs else test, **made)
            held_out = generated if held_out is None else held_out
        for table, path in ((drawn, train_pairs), (held_out, pairs)):
            self._check_rounds(protocol, table, path)
        if pairs and len(drawn):
            drawn = _apart(drawn, held_out, pairs, None if train_pairs else made)
        drawn, held_out = _same_width(drawn, held_out)
        self.nodes = drawn["adjacency"].shape[-1]
        first = {v.agent for track in protocol.tracks for v in track[0]}
        if questions == "learned" and not first <= protocol.deciders:
            raise UserError(
                "env.questions=learned needs a verifier that speaks before the prover answers: "
                "add env.protocol.first=verifier, or set env.questions=drawn."
            )
        super().__init__(
            drawn, held_out, protocol=protocol, payoffs=payoffs, slots=slots, seed=seed, device=device
        )

    def _check_rounds(self, protocol: Protocol, table: TensorDict, path: str | None) -> None:
        sizes = table["size"].amin(-1)
        if self.questions != "drawn" or not (sizes < protocol.rounds).any():
            return
        smallest, row = int(sizes.min()), int(sizes.argmin())
        asked = f"rounds={protocol.rounds}: the environment asks about a new node each round, and"
        if path:
            raise UserError(
                f"{asked} {path}, line {line_of(path, row)} has a graph of {smallest} nodes; remove such lines or "
                f"set at most {smallest} rounds."
            )
        raise UserError(
            f"{asked} the smallest graph has {smallest} nodes; set at most {smallest} rounds or larger graphs."
        )

    # ------------------------------------------------------------------ messages
    def _channel_kind(self, channel: str) -> str:
        if self.protocol.asks(channel):
            return "ask" if self.questions == "learned" else "silent"
        return "pair" if self.questions == "none" else "answer"

    def message(self, channel: str) -> tuple[int, int]:
        """One node, one pair of nodes, or nothing."""
        kind = self._channel_kind(channel)
        if kind == "silent":
            return 0, 1
        return 1, self.nodes**2 if kind == "pair" else self.nodes

    def kind(self, agent: str) -> str:
        """What the agent's messages are: ``answer``, ``pair``, ``ask`` or ``silent``."""
        return self._channel_kind(self.protocol.places(agent)[0].voice.speaks)

    def mark_count(self, agent: str) -> int:
        """Rows of ``marks`` in the agent's view: the nodes that exist, and one for each round and prover heard."""
        return 1 + self.protocol.rounds * len(self._heard_columns[agent][0])

    def known(self, agent: str) -> int:
        """Features of what the agent knows beyond the graphs."""
        return int(agent not in self.protocol.deciders and self.prover_knows == "label")

    # ------------------------------------------------------------------ chance
    @cached_property
    def _asks_by_coin(self) -> bool:
        return self.questions == "drawn" and any(not self.protocol.asks(c) for c in self.protocol.channels)

    def coins(self, index: Tensor, serial: Tensor) -> Tensor:
        """The node of graph A asked about in each round, without repetition, int16 ``[n, rounds, 1]``."""
        if not self._asks_by_coin:
            return super().coins(index, serial)
        keys = mix(serial.unsqueeze(-1) * 256 + self._node_ids, self.seed + 1)
        keys = keys * self._exists.index_select(0, index)  # padding is asked about last
        return keys.topk(self.protocol.rounds, -1).indices.to(torch.int16).unsqueeze(-1)

    @cached_property
    def _node_ids(self) -> Tensor:
        return torch.arange(self.nodes, device=self.device)

    @cached_property
    def _exists(self) -> Tensor:
        """Which nodes graph A of each instance has, bool ``[instances, n]``."""
        return self._node_ids < self.instances["size"].view(len(self.instances), -1)[:, :1]

    # ------------------------------------------------------------------ what networks see
    @cached_property
    def _heard_columns(self) -> dict[str, tuple[list[int], int | None]]:
        """Where in its transcript an agent finds each prover's answers, and the question it hears, if any."""
        found = {}
        for agent in self.protocol.agents:
            answers, ask, column = [], None, 0
            for channel in self.protocol.places(agent)[0].voice.hears:
                if self.message(channel)[0]:
                    if not self.protocol.asks(channel):
                        answers.append(column)
                    elif ask is None:
                        ask = column
                    column += 1
            found[agent] = answers, ask
        return found

    def named(self, agent: str, observation: TensorDictBase) -> tuple[Tensor, Tensor, Tensor]:
        """Nodes of A and of B named so far, int64 ``[b, k]`` (-1: none), and the node now asked about ``[b]``.

        Column ``c * rounds + r`` is what prover ``c`` said in round ``r``, the same in A and in B.
        """
        answers, ask = self._heard_columns[agent]
        said, turn = observation["transcript"].long(), observation["round"].long()
        if self._asks_by_coin:
            asked = observation["coins"][..., 0].long()
        elif ask is not None:
            asked = said[..., ask]
        else:
            asked = turn.new_full((len(turn), self.protocol.rounds), BLANK)
        now = asked.gather(1, turn.unsqueeze(1)).squeeze(1).clamp(min=0)
        if not answers:
            return turn.new_empty(len(turn), 0), turn.new_empty(len(turn), 0), now
        b = _side_by_side([said[..., column] for column in answers])
        if self.questions == "none":
            blank = b == BLANK
            return (
                (b // self.nodes).masked_fill(blank, BLANK),
                (b % self.nodes).masked_fill(blank, BLANK),
                now,
            )
        # a node asked about is marked once there is an answer: a mark in A alone would make the two look different
        return _side_by_side([asked] * len(answers)).masked_fill(b == BLANK, BLANK), b, now

    @cached_property
    def _selections(self) -> Tensor:
        """Rows of ``marks`` to gather: nothing, each node alone, and the nodes of a graph of each size."""
        n = self.nodes
        rows = torch.zeros(1 + n + n + 1, n, device=self.device)
        rows[1 : 1 + n] = torch.eye(n, device=self.device)
        rows[1 + n :] = torch.ones(n + 1, n, device=self.device).tril(-1)
        return rows

    @cached_property
    def _sizes(self) -> Tensor:
        """The row of ``_selections`` with the nodes of each graph, int64 ``[instances, 2, 1]``."""
        size = self.instances["size"].long().view(len(self.instances), -1, 1).expand(-1, 2, 1)
        return size + (1 + self.nodes)

    def view(self, agent: str, observation: TensorDictBase) -> dict[str, Tensor]:
        """Marked graphs: ``adjacency [b, 2, n, n]``, ``marks [b, 2, 1 + k, n]``, ``known [b, f]``, ``question [b]``.

        A row of ``marks`` is 1 at the nodes that it stands for: all that exist, then those named by each column
        of :meth:`named`.
        """
        index = observation["index"].long()
        in_a, in_b, now = self.named(agent, observation)
        rows = torch.cat([self._sizes.index_select(0, index), torch.stack([in_a, in_b], 1).add_(1)], -1)
        known = torch.empty(len(index), 0, device=self.device)
        if self.known(agent):
            known = self.instances["label"][index].float().unsqueeze(-1)
        return {
            "adjacency": self.instances["adjacency"].index_select(0, index).float(),
            "marks": self._selections.index_select(0, rows.flatten()).view(*rows.shape, self.nodes),
            "known": known,
            "question": now,
        }

    def teach(self, agent: str, observation: TensorDictBase) -> Tensor | None:
        """For provers of isomorphic pairs: the node that corresponds; for deciders the label."""
        if agent in self.protocol.deciders or self.kind(agent) != "answer":
            return super().teach(agent, observation)
        index = observation["index"].long()
        _, _, now = self.named(agent, observation)
        right = self.instances["witness"][index].long().gather(-1, now.unsqueeze(-1))
        return right.masked_fill(~self.instances["label"][index].unsqueeze(-1), -1)

    # ------------------------------------------------------------------ for people
    def difficulty(self, index: Tensor) -> dict[str, Tensor]:
        """By the Weisfeiler-Leman score of the pair (isomorphic pairs have none)."""
        wl, label = self.instances["wl"][index].long(), self.instances["label"][index]
        score = torch.where(wl == 0, 99, wl)
        named = {"isomorphic": label, "wl 1": ~label & (score == 1), "wl 2": ~label & (score == 2)}
        return named | {"wl 3+": ~label & (score >= 3) & (score < 99), "wl never": ~label & (score == 99)}

    def describe(self, index: int) -> str:
        """Edges of both graphs."""
        row = self.instances[index]
        lists = []
        for g in range(2):
            pairs = row["adjacency"][g].triu().nonzero().tolist()
            lists.append(" ".join(f"{i}-{j}" for i, j in pairs))
        return f"A: {lists[0]}\nB: {lists[1]}"

    def say(self, channel: str, message: list[int], index: int) -> str:
        """A message as a node of A or B."""
        kind = self._channel_kind(channel)
        if kind == "pair":
            return f"A{message[0] // self.nodes} is B{message[0] % self.nodes}"
        return ("A" if kind == "ask" else "B") + str(message[0])

    def say_coins(self, coins: list[int], index: int) -> str:
        """The node of A asked about."""
        return f"A{coins[0]}"


def _side_by_side(columns: list[Tensor]) -> Tensor:
    return columns[0] if len(columns) == 1 else torch.cat(columns, -1)


def _apart(drawn: TensorDict, held_out: TensorDict, path: str, made: dict[str, Any] | None) -> TensorDict:
    """The training pairs without the graphs of a test file, and others in their place if they are ``made``."""
    kept = without(drawn, held_out)
    shared = len(drawn) - len(kept)
    if not shared:
        return drawn
    if made:
        kept = replenish(kept, len(drawn), held_out, **made)
    if not len(kept):
        raise UserError(
            f"env.pairs={path}: all training pairs have a graph of this file, up to isomorphism, so nothing is left "
            "to train on. Train on other pairs (env.train_pairs, or null to generate them; larger env.nodes if "
            "they are generated), or test on other ones."
        )
    if len(kept) == len(drawn):
        instead = "others take their place"
    else:
        instead = f"{len(kept):,} pairs are left to train on"
    warnings.warn(
        f"{shared:,} of {len(drawn):,} training pairs have a graph of {path}, up to isomorphism: they are left out, "
        f"and {instead}. Agents trained without this file may have seen them.",
        stacklevel=1,  # the frames above are TorchRL's
    )
    return kept


def _same_width(*tables: TensorDict) -> list[TensorDict]:
    """Pad every table's graphs to the most nodes that any has."""
    n = max(t["adjacency"].shape[-1] for t in tables)
    out = []
    for table in tables:
        extra = n - table["adjacency"].shape[-1]
        if extra:
            rows = len(table)
            more = torch.arange(n - extra, n, dtype=table["witness"].dtype).expand(rows, -1)
            table = table.clone()
            table["adjacency"] = torch.nn.functional.pad(table["adjacency"], (0, extra, 0, extra))
            table["witness"] = torch.cat([table["witness"], more], -1)
        out.append(table)
    return out

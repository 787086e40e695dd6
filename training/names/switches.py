"""What a step from one kind of name to another costs (``securevec/anonymize/names/switches.py``), fitted to texts.

    python training/names/switches.py DATA_FOLDER [--rounds 12]

A linear chain (CRF) over the scores of the shipped weights, which stay as they are: a cost a step, one for the first
and the last token, one a tag and one scale are learned from the training parts of ``train.SOURCES`` by maximum
likelihood. Printed are the costs in the model's units; those between two kinds are written down by hand. One thread
and fixed seeds: the same inputs give the same table. Needs what ``train.py`` needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from train import SOURCES, Sample, read

from securevec.anonymize.names.model import TAGS, UNIT, NameModel, name_model

BATCH = 256
RATE = 0.05
Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def batches(model: NameModel, samples: list[Sample]) -> list[Batch]:
    """Scores ``(texts, tokens, tags)``, tags and which tokens there are; texts of like lengths together."""
    texts = sorted((sample for sample in samples if sample[0]), key=lambda sample: len(sample[0]))
    made = []
    for begin in range(0, len(texts), BATCH):
        part = texts[begin : begin + BATCH]
        longest = max(len(tokens) for tokens, _ in part)
        scores = torch.zeros(len(part), longest, len(TAGS))
        tags = torch.zeros(len(part), longest, dtype=torch.long)
        there = torch.zeros(len(part), longest, dtype=torch.bool)
        for row, (tokens, labels) in enumerate(part):
            scores[row, : len(tokens)] = torch.tensor(model._scores(tokens) / UNIT)
            tags[row, : len(tokens)] = torch.tensor(labels)
            there[row, : len(tokens)] = True
        made.append((scores, tags, there))
    return made


class Chain(torch.nn.Module):
    """Costs of steps beside scores that are given."""

    def __init__(self) -> None:
        super().__init__()
        size = len(TAGS)
        self.steps = torch.nn.Parameter(torch.zeros(size, size))
        self.first, self.last, self.tag = (torch.nn.Parameter(torch.zeros(size)) for _ in range(3))
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, scores: torch.Tensor, tags: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """The negative logarithm of how likely the tags are, a token."""
        scores = scores * self.scale + self.tag
        reached = self.first + scores[:, 0]
        gold = self.first[tags[:, 0]] + scores[:, 0].gather(1, tags[:, :1])[:, 0]
        for place in range(1, scores.shape[1]):
            here = there[:, place]
            following = torch.logsumexp(reached[:, :, None] + self.steps[None], 1) + scores[:, place]
            reached = torch.where(here[:, None], following, reached)
            step = self.steps[tags[:, place - 1], tags[:, place]]
            step = step + scores[:, place].gather(1, tags[:, place : place + 1])[:, 0]
            gold = gold + torch.where(here, step, torch.zeros_like(step))
        ends = tags.gather(1, there.sum(1)[:, None] - 1)[:, 0]
        return (torch.logsumexp(reached + self.last, 1) - gold - self.last[ends]).sum() / there.sum()


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit what a step between two kinds of names costs.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    parts = batches(name_model(), [sample for name in SOURCES for sample in read(options.data / name, part="train")])
    chain = Chain()
    optimizer = torch.optim.Adam(chain.parameters(), lr=RATE)
    for number in range(options.rounds):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - number / options.rounds) + 0.002
        losses = []
        for part in parts:
            loss = chain(*part)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"round {number + 1} loss {np.mean(losses):.5f}", flush=True)
    costs = -(chain.steps / chain.scale).detach().numpy()
    for before, row in zip(TAGS, costs, strict=True):
        print(before, " ".join(f"{tag} {cost:.2f}" for tag, cost in zip(TAGS, row, strict=True)))


if __name__ == "__main__":
    main()

"""Where random histories are played: one process after another, and a judge beside them who knows what may be so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support import history_child
from tests.support.crash_home import Nursery, in_memory
from tests.support.histories import Model, Teller
from tests.support.history_child import collection_of, open_store

LIVES = 3
OPS = 5
"""Operations a life is given; fewer happen when it is cut short."""


class Stage:
    """A home per backend, made once and copied for each history."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nursery = Nursery(root, history_child.__file__)
        self._templates: dict[str, Path] = {}

    def home(self, backend: str) -> dict[str, Any]:
        template = self._templates.get(backend)
        if template is None:
            template = self._templates[backend] = self.root / f"template-{backend}"
            with open_store(self._order(template, backend), [0]) as store:
                collection_of(store, create=True)
        place = self.root / f"lived-{backend}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template, place, copy_function=shutil.copy2)
        return self._order(place, backend)

    def _order(self, place: Path, backend: str) -> dict[str, Any]:
        # The key beside the home: a history may exchange it.
        return {"home": str(place / "home"), "key_file": str(place / "keys" / "root.key"), "backend": backend}


@contextmanager
def a_stage() -> Generator[Stage]:
    with in_memory() as root:
        stage = Stage(root)
        with stage.nursery:
            yield stage


def live_through(stage: Stage, backend: str, seed: int) -> list[str]:
    """Play one history; fails where the store and the model differ. Returns what happened."""
    teller = Teller(seed)
    place = stage.home(backend)
    # What may be so: after a killed operation, two things.
    possible = [Model()]
    happened: list[str] = []
    for turn in range(LIVES + 1):
        ops: list[dict[str, Any]] = []
        last = turn == LIVES
        # The clock does not go back: a process killed while it waited, has waited.
        day = possible[-1].day
        possible = [replace(model, day=day) for model in possible]
        # Of two possible pasts the operations are made up to fit the later one; what they do depends on which it was.
        imagined = possible[-1]
        for _ in range(0 if last else OPS):
            ops.append(teller.op(imagined))
            imagined = imagined.after(ops[-1])[0]
        trap = None if last or teller.chance.random() < 0.25 else teller.trap()
        order = place | {
            "ops": ops,
            "ahead_days": day,
            "trap": trap,
            "armed": "opening" if teller.chance.random() < 0.15 else "working",
        }
        death = stage.nursery.carry_out(order)
        story = f"seed {seed} on {backend}: {[*happened, f'life {turn}', ops, trap]}"
        assert death.killed or death.exit == 0, f"{death.journal[-1]} in {story}"
        possible = _judge([json.loads(line) for line in death.journal], ops, possible, story)
        happened.append(f"{'killed' if death.killed else 'ended'} after {len(death.journal)} lines")
        assert not last or death.exit == 0
    return happened


def _judge(journal: list[dict[str, Any]], ops: list[dict[str, Any]], possible: list[Model], story: str) -> list[Model]:
    """What may be so after a life with this journal."""
    for line in journal:
        if "state" in line:
            fitting = [model for model in possible if not model.mismatch(line["state"])]
            assert fitting, f"{[model.mismatch(line['state']) for model in possible]} in {story}"
            assert set(line["state"]["jobs"]) <= {"done"}, story
            possible = fitting[:1]
        elif "begin" in line:
            (before,) = possible
            possible = [before, before.after(ops[line["begin"]])[0]]
        elif "done" in line:
            before = possible[0]
            after, must_say = before.after(ops[line["done"]])
            if must_say is not None:
                assert line["said"] == must_say, f"{ops[line['done']]} said {line['said']}, not {must_say}, in {story}"
            assert isinstance(line["said"], list) or must_say is not None, f"{line} in {story}"
            assert line["seen"] == {"count": len(after.visible), "search": after.visible}, f"{line} in {story}"
            possible = [after]
        else:
            raise AssertionError(f"{line} in {story}")
    return possible

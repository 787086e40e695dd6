"""The other side of bar_detection.py, run by the Python of ``.venv-peers``: presidio-analyzer on a blank pipeline.

The first line of standard input names the sets: ``{name: [text, ...]}``. Each further line is a set's name and is
answered by ``{"seconds": process time of one pass over it, "together": the same of its texts handed over in one call,
"found": findings}``.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine


class Blank(SpacyNlpEngine):
    """Tokens and no model: the pattern recognizers are what is compared."""

    def load(self) -> None:
        self.nlp: dict[str, Any] = {"en": spacy.blank("en")}


def main() -> None:
    # It asks the network for a list of domains, and takes the one it brings along when there is no network.
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    engine = Blank()
    engine.load()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    batch = BatchAnalyzerEngine(analyzer_engine=analyzer)
    sets = json.loads(sys.stdin.readline())
    recognizers = len(analyzer.get_recognizers("en"))
    print(json.dumps({"recognizers": recognizers}), flush=True)
    for line in sys.stdin:
        found = 0
        began = time.process_time()
        for text in sets[line.strip()]:
            found += len(analyzer.analyze(text, language="en"))
        ended = time.process_time()
        batch.analyze_iterator(sets[line.strip()], language="en")
        together = time.process_time() - ended
        print(json.dumps({"seconds": ended - began, "together": together, "found": found}), flush=True)


if __name__ == "__main__":
    main()

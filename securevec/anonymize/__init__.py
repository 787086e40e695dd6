"""Detection and replacement of personal data and credentials. Nothing else may make an ``AnonymizedText``."""

from securevec.anonymize.adapters import from_callable, from_presidio, from_spacy, recognizer
from securevec.anonymize.detectors import (
    BuiltinDetector,
    MergedDetector,
    builtin_detector,
    default_detector,
    entities_of,
)
from securevec.anonymize.document import DocumentNames
from securevec.anonymize.engine import Anonymizer
from securevec.anonymize.evaluation.evaluate import Evaluation, evaluate
from securevec.anonymize.findings import Detector, Finding, Names, Recall
from securevec.anonymize.keys import TenantKeys, first_token, normalize, subject_token
from securevec.anonymize.operators import Operator, redacted
from securevec.anonymize.policy import OperatorPolicy
from securevec.anonymize.rules.second import PatternEngine

__all__ = [
    "Anonymizer",
    "BuiltinDetector",
    "Detector",
    "DocumentNames",
    "Evaluation",
    "Finding",
    "MergedDetector",
    "Names",
    "Operator",
    "OperatorPolicy",
    "PatternEngine",
    "Recall",
    "TenantKeys",
    "builtin_detector",
    "default_detector",
    "entities_of",
    "evaluate",
    "first_token",
    "from_callable",
    "from_presidio",
    "from_spacy",
    "normalize",
    "recognizer",
    "redacted",
    "subject_token",
]

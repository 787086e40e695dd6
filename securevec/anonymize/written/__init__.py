"""Texts with a notation of their own: JSON, CSV, markup, and escapes in any text.

``read`` says how a text is to be read (:mod:`.reading`), ``placed`` where and how a value is replaced in it
(:mod:`.placing`). A text without any sign of a notation is plain, which is all that is asked of most texts.
"""

from securevec.anonymize.written.placing import Part, placed, spoken
from securevec.anonymize.written.reading import Reading, View, read

__all__ = ["Part", "Reading", "View", "placed", "read", "spoken"]

"""Record classes, their markers, and the schema a collection remembers of them."""

from securevec.schema import marks
from securevec.schema.describe import describe
from securevec.schema.fields import LISTS, FieldSpec, Schema
from securevec.schema.record import Embed, Filter, Key, Record, Seal, Subject

__all__ = ["LISTS", "Embed", "FieldSpec", "Filter", "Key", "Record", "Schema", "Seal", "Subject", "describe", "marks"]

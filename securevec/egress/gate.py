"""The check in front of every model: the list as it is now, the collection as it is now, and any failure is a denial.

Who opened a collection before the list changed is asked again at each call; reading the list is one look at the control
store's version, and opening it happens once for each change of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import orjson

from securevec.errors import ControlUnavailable, EnvelopeRejected, ModelNotAllowed, SecurevecError
from securevec.policy.models import ModelEntry, ModelList, Reason, Use, from_json, may_receive, to_json
from securevec.state.runtime import Runtime
from securevec.types import CollectionId

KIND: Final = "model-list"
_ROW: Final = bytes(16)

_ANEW: Final = "Restore a backup, or an operator makes the list anew: securevec models clear"

Cause = Reason | Literal["reclassified"]

_SAID: Final[Mapping[Cause, tuple[str, str]]] = {
    "no-list": (
        "No list of models is set, and this process requires one (models.required).",
        "An operator makes it: securevec models allow MODEL --kind embedder|chat --class LABEL",
    ),
    "unlisted": (
        "The model is not on this home's list of models.",
        "Names are compared letter by letter. An operator allows it: securevec models allow MODEL --class LABEL",
    ),
    "denied": ("The list of models denies this model here.", "An operator decides: securevec models list"),
    "kind": (
        "The list of models has this model for another kind of use.",
        "An operator sets the kind: securevec models allow MODEL --kind embedder|chat --class LABEL",
    ),
    "classification": (
        "The list of models does not let this model receive data of this collection's classification.",
        "An operator allows the classification: securevec models allow MODEL --class LABEL",
    ),
    "originals": (
        "The list of models lets this model receive anonymized text only.",
        "Leave originals out, or an operator allows them: securevec models allow MODEL --originals --class LABEL",
    ),
    "provider": (
        "The list of models has this model at one provider, and the call names another or none.",
        "Pass provider= as the list has it: securevec models list",
    ),
    "region": (
        "The list of models has this model in one region, and the call names another or none.",
        "Pass region= as the list has it: securevec models list",
    ),
    "reclassified": (
        "The collection has another classification than it was opened with.",
        "Open it again.",
    ),
}


def entries_of(runtime: Runtime) -> tuple[ModelEntry, ...] | None:
    """The home's list as it is now; ``None`` for none. Raises :class:`EnvelopeRejected` for one that was edited, put
    back from before or taken away, or that another release wrote; the message names the field."""
    seen = runtime.keys.models_seen()
    # After the number, which is raised behind the list: a list changed in between has a higher one.
    sealed = runtime.control.model_list()
    if sealed is None:
        if seen:
            raise EnvelopeRejected("The list of models was taken out of control.db.", next_step=_ANEW)
        return None
    state = _opened(runtime, sealed)
    if state.number < seen:
        raise EnvelopeRejected(
            "The list of models (model_list.sealed in control.db) is an older one that was put back.", next_step=_ANEW
        )
    if state.number > seen:  # who changed it was killed before that, or this home was restored with a newer list
        runtime.keys.keep_models(state.number)
    return state.entries


def number_of(runtime: Runtime, sealed: bytes | None) -> int:
    """The number of the newest list there was, this one or an older or newer one; 0 when there never was one. One that
    cannot be read counts as none."""
    seen = runtime.keys.models_seen()
    try:
        return seen if sealed is None else max(seen, _opened(runtime, sealed).number)
    except EnvelopeRejected:
        return seen


def _opened(runtime: Runtime, sealed: bytes) -> ModelList:
    known = runtime.models.get(sealed)
    if known is None:
        try:
            known = from_json(orjson.loads(runtime.names.open(sealed, row=_ROW, kind=KIND)))
        except (SecurevecError, ValueError, TypeError) as error:
            why = f" {error.message}" if isinstance(error, SecurevecError) else ""
            raise EnvelopeRejected(
                f"The list of models (model_list.sealed in control.db) cannot be read.{why}", next_step=_ANEW
            ) from error
        runtime.models.keep(sealed, known)
    return known


def sealed_list(runtime: Runtime, state: ModelList) -> bytes:
    return runtime.names.seal(orjson.dumps(to_json(state)), row=_ROW, kind=KIND)


def ask(runtime: Runtime, use: Use, collection: CollectionId | None) -> tuple[bool, Cause]:
    """What the list says now. ``collection`` is where the text comes from; its classification must still be the one
    that ``use`` names."""
    entries = entries_of(runtime)
    if entries is not None and collection is not None:
        token = runtime.control.classification_of(use.tenant, collection)
        if token != runtime.names.classification_token(use.classification):
            return False, "reclassified"
    if entries is None and runtime.models_required:
        return False, "no-list"
    answer = may_receive(entries, use)
    return answer.allowed, answer.reason


def require_model(runtime: Runtime, use: Use, collection: CollectionId | None) -> None:
    """Raises :class:`ModelNotAllowed` unless the list lets the model receive this, or there is none.

    A list that cannot be read lets nobody receive anything. A control store that does not answer is
    :class:`ControlUnavailable`, and nothing is handed over either.
    """
    try:
        allowed, cause = ask(runtime, use, collection)
    except ControlUnavailable:
        raise
    except Exception as error:
        # Whatever went wrong, nobody has allowed anything.
        why = error.message if isinstance(error, SecurevecError) else "The list of models could not be asked."
        raise ModelNotAllowed(f"{why} So no model receives anything.", next_step=_ANEW) from error
    if allowed is not True:
        message, step = _SAID[cause]
        raise ModelNotAllowed(message, next_step=step)

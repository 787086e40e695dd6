"""What a label of a data set means here, and what a finding counts as in a set with fewer kinds than we have.

A label is compared by its letters and digits, in any case, without the ``B-`` or ``I-`` of token tags. A country in
front is left out where the rest is known, and of ``person-actor`` the part before the sign counts. One that is neither
in the table nor an entity of ours is kept as it is: the report then shows that the set holds something this detector
does not look for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from securevec.anonymize.evaluation.aliases import ALIASES, COUNTRIES

_TAG: Final = re.compile(r"^[BIESLU]-(?=..)")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER: Final = re.compile(r"[^A-Z0-9]+")
_FINER: Final = re.compile(r"(PERSON|LOCATION|ORGANIZATION|ORG|LOC|PER)[-/:.]")
"""A kind and a finer one behind a sign, as Few-NERD writes them. An underscore is none: a PERSON_TYPE is a job."""

_SOCIAL: Final = (
    *("FR_NIR", "CH_AHV", "AT_SVNR", "UK_NINO", "CA_SIN", "NL_BSN", "IE_PPS", "BE_NATIONAL", "IT_CODICE_FISCALE"),
    *("SE_PERSONNUMMER", "NO_FODSELSNUMMER", "DK_CPR", "FI_HETU", "PL_PESEL"),
)
"""Numbers of social insurance outside the USA, which sets call ``SOCIALNUM`` like the American one."""
_CIVIL: Final = (
    *("SSN", "ITIN", "UK_UTR", "NHS", "DE_TAX_ID", "ES_DNI", "PT_NIF", "TR_KIMLIK", "ZA_ID", "SG_NRIC", "MX_CURP"),
    *("IN_AADHAAR", "IN_PAN", "AU_TFN", "BR_CPF"),
)
_OWN_NUMBERS: Final = (
    *("CUSTOMER_ID", "CASE_NUMBER", "EMPLOYEE_ID", "MEMBER_ID", "MRN", "MEDICARE_ID", "PASSPORT"),
    *("BANK_ACCOUNT", "NATIONAL_ID", "DEVICE_ID", "LICENSE_NUMBER", "RECORD_ID"),
)

_BROADER: Final[Mapping[str, tuple[str, ...]]] = {
    "DATE_OF_BIRTH": ("DATE",),
    "URL_CREDENTIALS": ("URL", "SECRET"),
    "ADDRESS": ("LOCATION",),
    "LOCATION": ("ADDRESS",),
    "POSTCODE": ("ADDRESS",),
    "ONE_TIME_CODE": ("SECRET",),
    "SORT_CODE": ("BANK_ACCOUNT", "ID"),
    "ROUTING_NUMBER": ("BANK_ACCOUNT", "ID"),
    "IBAN": ("BANK_ACCOUNT", "ID"),
    "CARD": ("BANK_ACCOUNT", "ID"),
    "VIN": ("VEHICLE_ID", "ID"),
    "LICENSE_PLATE": ("VEHICLE_ID", "ID"),
    "EIN": ("TAX_ID", "ID"),
    "VAT_ID": ("TAX_ID", "ID"),
    "TAX_ID": ("NATIONAL_ID", "ID"),
    **dict.fromkeys(_CIVIL, ("TAX_ID", "NATIONAL_ID", "ID")),
    **dict.fromkeys(_SOCIAL, ("TAX_ID", "NATIONAL_ID", "SSN", "ID")),
    **dict.fromkeys(_OWN_NUMBERS, ("ID",)),
    **dict.fromkeys(("IMEI", "MAC"), ("DEVICE_ID", "ID")),
    **dict.fromkeys(("DRIVER_LICENSE", "NPI", "DEA"), ("LICENSE_NUMBER", "ID")),
    **dict.fromkeys(("EMAIL", "PHONE", "URL", "IP"), ("CONTACT",)),
}
"""What a finding may count as when the set has no label of its own for it."""
WIDER: Final = frozenset(name for names in _BROADER.values() for name in names)
"""Entities that only sets have, and findings count as."""


def _letters(label: str) -> str:
    return _OTHER.sub("", label)


_ENTITY: Final = {_letters(name): entity for entity, aliases in ALIASES.items() for name in (entity, *aliases)} | {
    _letters(name): name for name in (*_BROADER, *WIDER)
}


def canonical(label: str, extra: Mapping[str, str] | None = None) -> str:
    """Our entity for a data set's label. ``extra``: the caller's own table, asked first, label to entity."""
    raw = _TAG.sub("", label.strip())
    plain = _OTHER.sub("_", _HUMP.sub("_", raw).upper()).strip("_")
    if extra:
        own = {_letters(name.upper()): entity for name, entity in extra.items()}
        if _letters(plain) in own:
            return own[_letters(plain)]
    if known := _ENTITY.get(_letters(plain)):
        return known
    country, _, rest = plain.partition("_")
    if country in COUNTRIES and (known := _ENTITY.get(_letters(rest))):
        return known
    if plain.endswith("_NO") and (known := _ENTITY.get(_letters(plain.removesuffix("_NO") + "_NUMBER"))):
        return known
    if "." in raw and (known := _ENTITY.get(_letters(raw.upper().rpartition(".")[2]))):
        return known
    if finer := _FINER.match(raw.upper()):
        return _ENTITY[finer[1]]
    return plain


def counted_as(entity: str, labelled: Collection[str], *, secret: bool = False) -> tuple[str, ...]:
    """What a finding may be scored as in a set with the entities ``labelled``; itself alone where the set has it.

    A set that only says DATE has a right answer in a DATE_OF_BIRTH, one that only says SECRET in any credential, and
    the number of a country may be its SSN, TAX_ID or NATIONAL_ID: the scorer takes the one that is labelled there.
    """
    if entity in labelled:
        return (entity,)
    wider = (*_BROADER.get(entity, ()), *(("SECRET",) if secret else ()))
    return tuple(name for name in wider if name in labelled) or (entity,)

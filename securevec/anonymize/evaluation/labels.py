"""Names that labelled data sets give to what we find, as our entities.

A label is compared in capitals with every other character than a letter or digit as one underscore, and without the
``B-`` or ``I-`` of token tags. One that is neither in the table nor an entity of ours is kept as it is: the report then
shows that the set holds something this detector does not look for. docs/detection.md shows the table; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "PERSON": ("PER", "NAME", "PERSON_NAME", "FULL_NAME", "FULLNAME", "FIRST_NAME", "FIRSTNAME", "GIVENNAME",
               "GIVEN_NAME", "LAST_NAME", "LASTNAME", "SURNAME", "MIDDLENAME", "MIDDLE_NAME", "NAME_STUDENT",
               "PATIENT", "DOCTOR", "GIVENNAME1", "GIVENNAME2", "LASTNAME1", "LASTNAME2", "LASTNAME3",
               "FAMILY_NAME", "PERSONNAME", "CUSTOMER_NAME", "EMPLOYEE_NAME", "CONTACT_NAME", "STUDENT_NAME",
               "PATIENT_NAME", "HUMAN_NAME"),
    "LOCATION": ("LOC", "GPE", "CITY", "STATE", "COUNTRY", "COUNTY", "FAC", "LOCATION_CITY", "LOCATION_STATE",
                 "LOCATION_COUNTRY", "PLACE", "TOWN", "REGION", "PROVINCE", "GEO"),
    "ADDRESS": ("STREET_ADDRESS", "STREETADDRESS", "STREET", "FULL_ADDRESS", "POSTAL_ADDRESS", "BUILDINGNUM",
                "SECONDARYADDRESS", "BUILDINGNUMBER", "BUILDING_NUMBER", "SECADDRESS", "SECONDARY_ADDRESS",
                "LOCATION_ADDRESS", "LOCATION_STREET", "HOME_ADDRESS", "MAILING_ADDRESS", "STREET_NAME",
                "STREETNAME", "STREET_NUMBER"),
    "ORG": ("ORGANIZATION", "ORGANISATION", "COMPANY", "COMPANY_NAME", "COMPANYNAME", "HOSPITAL", "EMPLOYER",
            "ORGANIZATION_NAME", "BUSINESS_NAME", "CORPORATION", "GROUP", "BANK_NAME"),
    "EMAIL": ("EMAIL_ADDRESS", "E_MAIL", "MAIL"),
    "PHONE": ("PHONE_NUMBER", "PHONENUMBER", "TELEPHONE", "TELEPHONENUM", "TEL", "PHONE_NUM", "FAX_NUMBER", "FAX",
              "MOBILE", "MOBILE_NUMBER", "CELL_PHONE", "PHONENUM", "CONTACT_NUMBER"),
    "CARD": ("CREDIT_CARD", "CREDITCARD", "CREDITCARDNUMBER", "CREDIT_CARD_NUMBER", "CARD_NUMBER",
             "CREDIT_DEBIT_CARD", "DEBIT_CARD", "CREDIT_CARD_NUM", "PAYMENT_CARD"),
    "IBAN": ("IBAN_CODE", "IBAN_NUMBER"),
    "BIC": ("SWIFT", "SWIFT_BIC", "SWIFT_CODE", "BIC_SWIFT"),
    "BANK_ACCOUNT": ("US_BANK_NUMBER", "ACCOUNTNUMBER", "ACCOUNT_NUMBER", "ACCOUNTNUM", "BANK_ACCOUNT_NUMBER",
                     "BANK_NUMBER", "BBAN", "BANK_ACCOUNT_NO", "BANKACCOUNT", "ACCOUNT"),
    "ROUTING_NUMBER": ("BANK_ROUTING_NUMBER", "ABA_ROUTING_NUMBER"),
    "CUSTOMER_ID": ("CUSTOMER_NUMBER", "CLIENT_ID", "CLIENT_NUMBER"),
    "CASE_NUMBER": ("COMPLAINT_ID", "CASE_ID", "CLAIM_NUMBER"),
    "SSN": ("US_SSN", "SOCIALNUM", "SOCIAL_SECURITY_NUMBER"),
    "ITIN": ("US_ITIN",),
    "IP": ("IP_ADDRESS", "IPADDRESS", "IPV4", "IPV6", "IP_ADDR", "IPADDR"),
    "MAC": ("MAC_ADDRESS", "MACADDRESS"),
    "URL": ("DOMAIN_NAME", "WEBSITE", "URL_PERSONAL", "URI", "DOMAIN", "LINK", "WEB_ADDRESS"),
    "DATE": ("DATE_TIME", "DATETIME", "TIMESTAMP"),
    "DATE_OF_BIRTH": ("DOB", "DATEOFBIRTH", "BIRTHDATE", "BIRTH_DATE", "BOD", "BIRTHDAY"),
    "POSTCODE": ("ZIP", "ZIPCODE", "ZIP_CODE", "POSTAL_CODE", "POST_CODE", "LOCATION_ZIP", "POSTALCODE"),
    "DRIVER_LICENSE": ("US_DRIVER_LICENSE", "DRIVERLICENSE", "DRIVERLICENSENUM", "DRIVERS_LICENSE",
                       "DRIVER_LICENSE_NUMBER", "DRIVING_LICENSE", "DRIVING_LICENCE", "DRIVER_LICENCE",
                       "DRIVERSLICENSE"),
    "PASSPORT": ("US_PASSPORT", "PASSPORT_NUMBER", "PASSPORTNUM", "UK_PASSPORT", "IN_PASSPORT", "IT_PASSPORT"),
    "NHS": ("UK_NHS", "NHS_NUMBER"),
    "NPI": ("US_NPI",),
    "MRN": ("MEDICAL_RECORD_NUMBER", "MEDICAL_RECORD", "MEDICALRECORD", "PATIENT_ID"),
    "MEDICARE_ID": ("US_MBI",),
    "DEA": ("MEDICAL_LICENSE", "DEA_NUMBER"),
    "CRYPTO_WALLET": ("CRYPTO", "BITCOINADDRESS", "ETHEREUMADDRESS", "LITECOINADDRESS", "CRYPTO_ADDRESS",
                      "BITCOIN_ADDRESS", "ETHEREUM_ADDRESS", "LITECOIN_ADDRESS", "WALLET_ADDRESS"),
    "VIN": ("VEHICLEVIN", "VEHICLE_VIN", "VEHICLE_IDENTIFIER", "VEHICLE_IDENTIFICATION_NUMBER"),
    "ES_DNI": ("ES_NIF", "ES_NIE"),
    "IT_CODICE_FISCALE": ("IT_FISCAL_CODE",),
    "CA_SIN": ("CA_SOCIAL_INSURANCE_NUMBER",),
    "SECRET": ("PASSWORD", "API_KEY", "TOKEN", "CREDENTIAL", "PASS", "PASSWD", "APIKEY", "ACCESS_TOKEN",
               "SECRET_KEY"),
    "ONE_TIME_CODE": ("PIN", "CVV", "CREDITCARDCVV", "OTP", "CVC", "CREDIT_CARD_SECURITY_CODE", "ACCOUNT_PIN",
                      "PIN_CODE", "CARD_CVV", "CREDIT_CARD_CVV"),
    "USERNAME": ("USER_NAME", "USER_ID", "USERID", "LOGIN", "SCREEN_NAME", "HANDLE"),
    "IMEI": ("PHONEIMEI", "PHONE_IMEI", "IMEI_NUMBER"),
    "LICENSE_PLATE": ("VEHICLEVRM", "VEHICLE_VRM", "LICENSEPLATE", "LICENCE_PLATE", "PLATE_NUMBER",
                      "VEHICLE_REGISTRATION", "LICENSE_PLATE_NUMBER"),
    "COORDINATES": ("NEARBYGPSCOORDINATE", "COORDINATE", "GPS", "GPS_COORDINATES", "GEOCOORD", "LOCAL_LATLNG",
                    "LATLNG", "LATITUDE", "LONGITUDE"),
    "EMPLOYEE_ID": ("EMPLOYEE_NUMBER", "STAFF_ID", "STUDENT_ID", "EMPLOYEEID"),
    "MEMBER_ID": ("HEALTH_PLAN_BENEFICIARY_NUMBER", "HEALTHPLAN", "HEALTH_PLAN", "INSURANCE_NUMBER",
                  "POLICY_NUMBER", "HEALTH_INSURANCE_ID", "HEALTH_INSURANCE_ID_NUMBER", "INSURANCE_POLICY_NUMBER"),
    "NATIONAL_ID": ("IDCARDNUM", "IDCARD", "ID_CARD", "ID_CARD_NUMBER", "NATIONAL_ID_NUMBER",
                    "NATIONAL_IDENTITY_NUMBER", "IDENTITY_CARD_NUMBER", "NATIONALID"),
    "TAX_ID": ("TAXNUM", "TAX_NUMBER", "TAX_IDENTIFICATION_NUMBER", "TAXPAYER_ID", "TIN"),
    "TITLE": ("PREFIX",),
}  # fmt: skip
"""Our entity, and what others call it."""

_ENTITY: Final = {alias: entity for entity, aliases in ALIASES.items() for alias in aliases}
_TAG: Final = re.compile(r"[BIESLU]-(?=.)")
_OTHER: Final = re.compile(r"[^A-Z0-9]+")

_BROADER: Final[Mapping[str, tuple[str, ...]]] = {
    "DATE_OF_BIRTH": ("DATE",),
    "URL_CREDENTIALS": ("URL", "SECRET"),
    "ADDRESS": ("LOCATION",),
    "LOCATION": ("ADDRESS",),
    "ONE_TIME_CODE": ("SECRET",),
    "SORT_CODE": ("BANK_ACCOUNT",),
    "ROUTING_NUMBER": ("BANK_ACCOUNT",),
    **dict.fromkeys(
        (
            *(
                "SSN",
                "ITIN",
                "UK_NINO",
                "UK_UTR",
                "NHS",
                "CA_SIN",
                "DE_TAX_ID",
                "FR_NIR",
                "ES_DNI",
                "IT_CODICE_FISCALE",
            ),
            *("NL_BSN", "PL_PESEL", "SE_PERSONNUMMER", "NO_FODSELSNUMMER", "DK_CPR", "FI_HETU", "IE_PPS", "PT_NIF"),
            *("BE_NATIONAL", "CH_AHV", "AT_SVNR", "TR_KIMLIK", "ZA_ID", "SG_NRIC", "MX_CURP", "IN_AADHAAR", "IN_PAN"),
            *("AU_TFN", "BR_CPF"),
        ),
        ("TAX_ID", "NATIONAL_ID"),
    ),
    "EIN": ("TAX_ID",),
    "VAT_ID": ("TAX_ID",),
    "TAX_ID": ("NATIONAL_ID",),
}
"""What a finding counts as when the set has no label of its own for it."""
WIDER: Final = frozenset(name for names in _BROADER.values() for name in names)
"""Entities that only sets have, and findings count as."""


def canonical(label: str, extra: Mapping[str, str] | None = None) -> str:
    """Our entity for a data set's label. ``extra``: the caller's own table, asked first, label to entity."""
    plain = _OTHER.sub("_", _TAG.sub("", label.strip().upper())).strip("_")
    if extra and plain in extra:
        return extra[plain]
    return _ENTITY.get(plain, plain)


def counted_as(entity: str, labelled: Collection[str], *, secret: bool = False) -> str:
    """The entity a finding is scored as in a set with the entities ``labelled``.

    A set that only says DATE has a right answer in a DATE_OF_BIRTH, and one that only says SECRET in any credential.
    """
    if entity in labelled:
        return entity
    wider = (*_BROADER.get(entity, ()), *(("SECRET",) if secret else ()))
    return next((name for name in wider if name in labelled), entity)

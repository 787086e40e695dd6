"""Values with a label: one function a format, and where the format is written down.

Nothing of securevec is imported: check digits are computed here a second time, from the specifications named. Numbers
come from ranges that their issuers keep for tests and fiction where such a range exists, and are random elsewhere.
"""

from __future__ import annotations

import ipaddress
import random
import string
from collections.abc import Callable
from typing import Final

Make = Callable[[random.Random], str]

HEAD_OFFICE: Final = "X" * 3
"""The branch code of a bank's head office (ISO 9362)."""


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def filled(rng: random.Random, form: str) -> str:
    """``#`` is a digit, ``@`` a capital letter, ``%`` a hexadecimal digit; the rest stands for itself."""
    sets = {"#": string.digits, "@": string.ascii_uppercase, "%": "0123456789abcdef"}
    return "".join(rng.choice(sets[char]) if char in sets else char for char in form)


def forms(*patterns: str) -> Make:
    return lambda rng: filled(rng, rng.choice(patterns))


def chosen(*values: str) -> Make:
    return lambda rng: rng.choice(values)


def luhn_digit(number: str) -> str:
    total = 0
    for place, char in enumerate(reversed(number)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def weighted(number: str, weights: tuple[int, ...]) -> int:
    return sum(int(char) * weight for char, weight in zip(number, weights, strict=True))


def iban(country: str, bban: str) -> str:
    """Check digits by ISO 7064 mod 97-10 (ISO 13616-1)."""
    letters = "".join(str(int(char, 36)) for char in f"{bban}{country}00")
    return f"{country}{98 - int(letters) % 97:02d}{bban}"


def _iban(rng: random.Random) -> str:
    country, form = rng.choice(
        [("SE", "#" * 20), ("AT", "#" * 16), ("BE", "#" * 12), ("DK", "#" * 14), ("FI", "#" * 14), ("PL", "#" * 24),
         ("CH", "00762" + "#" * 12), ("NO", "#" * 11), ("IE", "AIBK" + "#" * 14), ("PT", "#" * 21), ("LU", "001" + "#" * 13),
         ("CZ", "#" * 20), ("ES", "#" * 20), ("NL", "ABNA0" + "#" * 9)]
    )  # fmt: skip
    made = iban(country, filled(rng, form))
    return made if rng.random() < 0.4 else " ".join(made[i : i + 4] for i in range(0, len(made), 4))


def _nhs(rng: random.Random) -> str:
    while True:
        body = "999" + digits(rng, 6)
        check = -weighted(body, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{body[:3]} {body[3:6]} {body[6:]}{check}"


def _bsn(rng: random.Random) -> str:
    while True:
        body = "9999" + digits(rng, 4)
        check = weighted(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{body}{check}"


def _nir(rng: random.Random) -> str:
    # Born abroad (99) in a month that says the date is not known (20): no register entry of a French commune.
    body = f"{rng.choice('12')}{digits(rng, 2)}2099{digits(rng, 3)}{digits(rng, 3)}"
    parts = (body[0], body[1:3], body[3:5], body[5:7], body[7:10], body[10:13], f"{97 - int(body) % 97:02d}")
    return " ".join(parts) if rng.random() < 0.7 else "".join(parts)


def _steuer_id(rng: random.Random) -> str:
    """Eleven digits, the first 0 as in the test numbers of the tax office; one digit of ten appears twice."""
    others = rng.sample("123456789", 8)
    body = "0" + "".join(rng.sample([*others, others[0]], 9))
    product = 10
    for char in body:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return f"{body}{(11 - product) % 10}"


def _dni(rng: random.Random) -> str:
    number = 99_000_000 + rng.randrange(1_000_000)
    return f"{number}{rng.choice(['', '-'])}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _pesel(rng: random.Random) -> str:
    """Born in the 1800s (month + 80), before the register began."""
    body = f"{rng.randrange(100):02d}{80 + rng.randint(1, 12)}{rng.randint(1, 28):02d}{digits(rng, 4)}"
    return f"{body}{-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10}"


def _hetu(rng: random.Random) -> str:
    """Individual numbers 900 to 999 are given to nobody for good."""
    day, number = f"{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randrange(30, 99)}", f"9{digits(rng, 2)}"
    return f"{day}-{number}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(day + number) % 31]}"


def _personnummer(rng: random.Random) -> str:
    body = f"{rng.randrange(20, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}98{digits(rng, 1)}"
    return f"{body[:6]}-{body[6:]}{luhn_digit(body)}"


def _ahv(rng: random.Random) -> str:
    body = "756" + digits(rng, 9)
    check = -sum(int(char) * (3 if place % 2 else 1) for place, char in enumerate(body)) % 10
    return f"{body[:3]}.{body[3:7]}.{body[7:11]}.{body[11:]}{check}"


def _rijksregister(rng: random.Random) -> str:
    day, number = f"{rng.randrange(40, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}", f"99{rng.randrange(8)}"
    return f"{day[:2]}.{day[2:4]}.{day[4:]}-{number}.{97 - int(day + number) % 97:02d}"


def _cpf(rng: random.Random) -> str:
    body = digits(rng, 9)
    for size in (10, 11):
        rest = weighted(body, tuple(range(size, 1, -1))) * 10 % 11 % 10
        body += str(rest)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def _npi(rng: random.Random) -> str:
    body = f"1{digits(rng, 8)}"
    return body + luhn_digit("80840" + body)


def _vin(rng: random.Random) -> str:
    letters, weights = "ABCDEFGHJKLMNPRSTUVWXYZ", (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    values = dict(zip(letters, (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
    made = [rng.choice("15") + rng.choice("FGNT"), *(rng.choice(letters + string.digits[1:]) for _ in range(6)), "0",
            *(rng.choice("RSTVWX") + rng.choice(letters)), digits(rng, 6)]  # fmt: skip
    text = "".join(made)
    rest = sum(int(values.get(char, char)) * weight for char, weight in zip(text, weights, strict=True)) % 11
    return f"{text[:8]}{'X' if rest == 10 else rest}{text[9:]}"


def _ipv4(rng: random.Random) -> str:
    net = ipaddress.ip_network(rng.choice(["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"]))
    return str(net[rng.randrange(1, net.num_addresses - 1)])


def _ipv6(rng: random.Random) -> str:
    return str(
        ipaddress.ip_address(int(ipaddress.ip_address("2001:db8::")) + rng.getrandbits(rng.choice([16, 64, 90])))
    )


def _email(rng: random.Random) -> str:
    local = filled(
        rng, rng.choice(["lager-##", "q.verlinden", "t_abara+rma", "h.oyelaran", "mbx####", "iveta", "d.quist"])
    )
    return f"{local}@{rng.choice(['example.com', 'example.net', 'mail.example.org', 'intra.example', 'post.invalid'])}"


def _birth(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1931, 2004)
    named = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[month - 1]
    return rng.choice(
        [
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{day}/{month}/{year}",
            f"{day} {named} {year}",
        ]
    )


def _date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2019, 2026)
    named = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
             "November", "December")[month - 1]  # fmt: skip
    return rng.choice(
        [
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{named} {day}, {year}",
            f"{day} {named} {year}",
        ]
    )


def _date_words(rng: random.Random) -> str:
    day, year = rng.randint(1, 28), rng.randint(2016, 2026)
    month = rng.choice(("January", "February", "March", "April", "May", "June", "July", "October", "December"))
    ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return rng.choice(
        [f"the {day}{ending} of {month} {year}"[4:], f"{month} {day}{ending}, {year}", f"{month} {year}", f"{day} {month[:3]} {year}",
         f"{month[:3]} {day}, {year}"]
    )  # fmt: skip


def _date_mail(rng: random.Random) -> str:
    day, year, clock = rng.randint(1, 28), rng.randint(2019, 2026), f"{rng.randint(7, 19):02d}:{rng.randint(0, 59):02d}"
    return rng.choice(
        [
            f"Tue, {day} Mar {year} {clock}:12 +0100",
            f"Monday, June {day}, {year} {clock}",
            f"{year}-10-{day:02d} {clock}",
        ]
    )


def _stamp(rng: random.Random) -> str:
    day, clock = rng.randint(1, 28), f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    return rng.choice([f"2026-04-{day:02d}T{clock}Z", f"2026-11-{day:02d} {clock}", f"2025-01-{day:02d}T{clock}+02:00"])


def _imei(rng: random.Random) -> str:
    body = "00440111" + digits(rng, 6)
    made = body + luhn_digit(body)
    return made if rng.random() < 0.6 else f"{made[:2]}-{made[2:8]}-{made[8:14]}-{made[14]}"


def _routing(rng: random.Random) -> str:
    body = f"0{rng.randint(1, 9)}{digits(rng, 6)}"
    return f"{body}{-weighted(body, (3, 7, 1, 3, 7, 1, 3, 7)) % 10}"


FORMATS: Final[dict[str, tuple[str, Make, str]]] = {
    "email": ("EMAIL", _email, "RFC 5321 section 4.1.2; domains of RFC 2606 and RFC 6761"),
    "phone.us": ("PHONE", forms("(2##) 555-01##", "415-555-01##", "+1 503 555 01##", "1.702.555.01##"),
                 "ITU E.164; NANPA: 555-0100 to 555-0199 are kept for fiction"),
    "phone.gb": ("PHONE", forms("020 7946 0###", "+44 7700 900###", "01632 960###", "+44 (0)1632 960###", "07700 900 ###"),
                 "Ofcom, telephone numbers for use in TV and radio drama"),
    "phone.de": ("PHONE", forms("030 23125###", "+49 69 90009###", "0221/4710###", "+49 (0)89 99998-###", "0171 39200##"),
                 "Bundesnetzagentur, Mitteilung 148/2021"),
    "phone.fr": ("PHONE", forms("01 99 00 ## ##", "+33 6 39 98 ## ##", "04.65.71.##.##", "063998####"),
                 "ARCEP, decision 2018-0881: numbers for works of fiction"),
    "phone.au": ("PHONE", forms("0491 570 156", "(02) 5550 ####", "+61 2 7010 ####", "0491 570 110"),
                 "ACMA, phone numbers for use in TV shows, films and creative works"),
    "phone.se": ("PHONE", forms("070-174 06 9#", "08-465 004 ##", "+46 31 390 06 ##"),
                 "PTS, telephone numbers for use in books and films"),
    "card": ("CARD", chosen("4242 4242 4242 4242", "4000056655665556", "5555 5555 5555 4444", "2223003122003222",
                            "5105-1051-0510-5100", "371449635398431", "6011 1111 1111 1117", "3056930009020004",
                            "36227206271667", "3566 0020 2036 0505", "6200000000000005"),
             "ISO/IEC 7812-1; test numbers of Stripe's and PayPal's documentation"),
    "iban": ("IBAN", _iban, "ISO 13616-1; structures of the SWIFT IBAN registry"),
    "bic": ("BIC", chosen("NDEASESS", "GENODEM0" + HEAD_OFFICE, "ABNANL2A", "CRBABE22", "TESTGB20", "BKAUATWW"), "ISO 9362"),
    "ssn": ("SSN", forms("219-09-9999", "457-55-5462", "6#5-4#-5###", "5#1-6#-7###"), "SSA POMS RM 10201: area, group, serial"),
    "npi": ("NPI", _npi, "45 CFR 162.406; Luhn with the prefix 80840"),
    "nhs": ("NHS", _nhs, "NHS data dictionary, NHS NUMBER; 999 is the range for tests"),
    "nino": ("UK_NINO", forms("JH 4# ## 2# A", "KR5#3##8C", "TM ## 7# ## D"), "HMRC National Insurance Manual NIM39110"),
    "sin": ("CA_SIN", lambda r: (lambda b: f"{b[:3]} {b[3:6]} {b[6:]}{luhn_digit(b)}")("9" + digits(r, 7)),
            "ESDC, The Social Insurance Number Code of Practice; Luhn"),
    "steuer": ("DE_TAX_ID", _steuer_id, "BZSt, structure of the identification number; ISO 7064 mod 11,10"),
    "nir": ("FR_NIR", _nir, "INSEE, numéro d'inscription au répertoire; key mod 97"),
    "dni": ("ES_DNI", _dni, "Ministerio del Interior, control letter of the DNI: mod 23"),
    "bsn": ("NL_BSN", _bsn, "RvIG, logical design BRP: eleven test; 9999 is the range for tests"),
    "pesel": ("PL_PESEL", _pesel, "Ustawa o ewidencji ludności, PESEL: weights 1 3 7 9"),
    "hetu": ("FI_HETU", _hetu, "DVV, the personal identity code: mod 31"),
    "personnummer": ("SE_PERSONNUMMER", _personnummer, "Skatteverket SKV 704: Luhn; serials 980 to 989 are for tests"),
    "ahv": ("CH_AHV", _ahv, "ZAS, AHV number with 13 digits: EAN-13 with the prefix 756"),
    "rijk": ("BE_NATIONAL", _rijksregister, "Royal Decree of 3 April 1984: 97 less the rest by 97"),
    "cpf": ("BR_CPF", _cpf, "Receita Federal, IN RFB 1548/2015: two digits mod 11"),
    "ipv4": ("IP", _ipv4, "RFC 5737 and RFC 2544"),
    "ipv6": ("IP", _ipv6, "RFC 4291, RFC 5952; the range of RFC 3849"),
    "mac": ("MAC", forms("00:00:5e:00:53:%%", "00-00-5E-00-53-##", "0000.5e00.53%%"), "IEEE 802; RFC 7042 section 2.1.2"),
    "url": ("URL", forms("https://shop.example.net/k/%%%%", "http://wiki.example/a#s-##", "https://example.org:8443/?u=%%%%%%"),
            "RFC 3986; RFC 2606"),
    "wallet": ("CRYPTO_WALLET", chosen("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
                                       "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
                                       "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
               "BIP-173, BIP-350 and EIP-55: test vectors"),
    "vin": ("VIN", _vin, "49 CFR 565.15: check digit"),
    "dob": ("DATE_OF_BIRTH", _birth, "ISO 8601 and the national ways of writing a date"),
    "date": ("DATE", _date, "ISO 8601 and the national ways of writing a date"),
    "mrn": ("MRN", forms("7######", "HN-#####", "00######"), "HIPAA, 45 CFR 164.514(b)(2)(i)(H); the form is each hospital's"),
    "passport": ("PASSPORT", forms("C4#RX7K#2", "9########", "X#######"), "ICAO Doc 9303 part 3: up to nine letters and digits"),
    "vat": ("VAT_ID", forms("ATU1234567#", "FR9K########", "SE55########01", "IE#######WA"), "Council Directive 2006/112/EC, article 215; VIES"),
    "ein": ("EIN", forms("20-#######", "47-#######"), "IRS Publication 1635"),
    "password": ("SECRET", chosen("Kq9!vRt4#mLz", "zW7-pliers-Moat-31", "hX3$gg81Qpa_", "9rJ@tundra!Yb", "vT5%oP0^wd2N"),
                 "NIST SP 800-63B section 5.1.1: memorized secrets"),
    "jwt": ("SECRET", chosen("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                             "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "RFC 7519 section 3.1"),
    "awskey": ("SECRET", forms("AKIA5QZ7RWLT3MXE@@VB", "ASIA4KD2YTNV7HPC@@QX"), "AWS IAM user guide, unique identifiers"),
    "phone.ext": ("PHONE", forms("(312) 555-01## ext. 4#", "+1 646-555-01## x2##", "020 7946 0### ext 3#", "1-800-555-01##"),
                  "ITU E.164; NANPA and Ofcom numbers kept for fiction; extensions as RFC 3966 writes them in words"),
    "phone.it": ("PHONE", forms("+39 06 5550 ####", "02 5550 ####", "+39 320 555 0###"), "ITU E.164; AGCOM numbering plan"),
    "date.words": ("DATE", _date_words, "the ways of writing a date in words; CLDR date patterns"),
    "date.mail": ("DATE", _date_mail, "RFC 5322 section 3.3, and what mail programs write"),
    "stamp": ("DATE", _stamp, "ISO 8601; RFC 3339"),
    "user": ("USERNAME", forms("brisk.otter##", "hk_lund##", "mvdb###", "tallgrass_##", "r.quist##", "Nightjar##"), "POSIX.1-2017 section 3.437"),
    "imei": ("IMEI", _imei, "3GPP TS 23.003 section 6.2.1; Luhn"),
    "plate": ("LICENSE_PLATE", forms("QD## XVB", "Q##4 RWX", "HH-XQ ###", "7QXZ###", "##-XZ-##", "QX-###-ZZ"),
              "forms of DVLA, KBA, RDW, ANTS and California; letters that are not issued"),
    "geo": ("COORDINATES", forms("-48.8#6#, -123.39##", "-51.#214, -127.8##5", "4#.1###, -4#.77##"), "ISO 6709; places on the open ocean"),
    "staff": ("EMPLOYEE_ID", forms("E-####7", "EMP0#####", "W4####"), "NIST SP 800-122 section 2.1; the form is each employer's"),
    "acct": ("BANK_ACCOUNT", forms("0#######", "4###00###", "7#########"), "NACHA operating rules, appendix 3; eight to ten digits"),
    "routing": ("ROUTING_NUMBER", _routing, "ANSI X9 routing number: check digit 3 7 1"),
    "cvv": ("ONE_TIME_CODE", forms("###"), "PCI DSS glossary: card verification code"),
    "pin": ("ONE_TIME_CODE", forms("####"), "ISO 9564-1"),
    "pin.tail": ("BANK_ACCOUNT", forms("####"), "Regulation E forms: the last four digits of an account"),
    "member": ("MEMBER_ID", forms("W#########", "HZ-####-##", "88#######"), "HIPAA, 45 CFR 164.514(b)(2)(i)(I)"),
    "custid": ("CUSTOMER_ID", forms("6########", "C-#######"), "ISO 9362 directories have none: the form is each firm's"),
    "case": ("CASE_NUMBER", forms("CL-2026-#####", "#######", "K/2025/####"), "the form is each office's"),
    "dl": ("DRIVER_LICENSE", forms("D#######", "QUIST7####9AB#CD", "S###-####-####"), "AAMVA DL/ID card design standard; DVLA INF45"),
    "age": ("AGE", forms("3#", "5#", "7#"), "NISO: a number of years"),
    "hexkey": ("SECRET", forms("%" * 40, "%" * 32), "RFC 4648 section 8; random 128 and 160 bits"),
}  # fmt: skip
"""Slot: entity, values, source."""

PLAIN: Final[dict[str, Make]] = {
    "order": forms("ORD-2026-####", "PO4500######", "B-####-#", "WEB/##/####"),
    "version": forms("v2.##.#", "10.#.1#", "3.1#.0-rc#", "2026.#.#"),
    "hash": forms("%" * 7, "sha256 %%%%%%%%…%%%%"),
    "uuid": forms("%%%%%%%%-%%%%-4%%%-a%%%-%%%%%%%%%%%%"),
    "amount": forms("EUR 1,#48.50", "#3,20 €", "$#9.99", "1 ##0 SEK", "£#4.10"),
    "sku": forms("KX-##-@@", "#@@-####", "M8x##"),
    "year": forms("19#4", "200#", "198#"),
    "number": forms("#", "1#", "#3#"),
    "time": forms("0#:1#", "1#:4#", "2026-w1#"),
}
"""Slots without a label: what looks like a finding and is none."""

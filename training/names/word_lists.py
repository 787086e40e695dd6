"""The words that slots are filled with, besides the names of ``vocabulary.py``. Order and repeats are weights."""

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

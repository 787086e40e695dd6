"""A retrieval task of our own: 200 made-up people, five facts about each, and what somebody would type to find one.

1,000 one-sentence documents; each question names a person in one of five forms and a topic in other words than the
document. One document answers it. Names are ordinary ones of some twenty languages, put together by a fixed generator;
whether the detector's lists hold them was not looked at when they were written down. The first run showed that the
model takes "the bank of Kamala Siddiqui" for an organization, which a rule mends since: for that sentence the task is
no longer unseen.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN: Final = _words(
    "Aaliyah Abena Adriana Agnes Ahmed Aiko Alastair Alejandra Amara Anders Anika Anneliese Anton Arjun Astrid Beatriz "
    "Bence Bogdan Brigitte Camila Carmen Cedric Chidi Chiara Claire Connor Dalia Daniela Declan Dmitri Dorota Eamon "
    "Ebony Edith Eleni Elif Emeka Emil Esther Fatima Felix Fiona Florian Francesca Gareth Giorgos Greta Gunnar Hana "
    "Harriet Hassan Helena Henrik Ibrahim Imani Ines Ingrid Isabel Ivan Jakub Jamal Javier Joanna Jolanta Kamala "
    "Katarina Kenji Kwame Lars Latoya Leila Liam Linnea Lorenzo Ludovic Magdalena Malik Marcus Marisol Matteo Meera "
    "Mikael Mohammed Nadia Naomi Natasha Nikolai Noor Olga Oluwaseun Omar Paolo Petra Priya Rafael Rania Rosalind "
    "Samir Sanjay Saoirse Sergei Siobhan Sofia Sunita Tamara Tariq Tatiana Thabo Theresa Tobias Tomas Ursula Valentina "
    "Vikram Wanda Wei Xavier Yara Yusuf Zara Zofia"
)
SURNAMES: Final = _words(
    "Abernathy Achebe Adeyemi Aguilar Ahlstrom Akhtar Albrecht Alvarez Andersson Antonopoulos Arbuckle Asante Ashworth "
    "Baptiste Barrington Bauer Beaumont Becker Benedetti Bergstrom Bielski Blanchard Bokhari Bonaventura Bouchard "
    "Bradshaw Brennan Brinkman Caldwell Calloway Carmichael Castellano Cervantes Chaudhry Chukwu Cienfuegos Clemente "
    "Colquhoun Corcoran Cunningham Dabrowski Dalgaard Danjuma Delacroix Desrosiers Devereux Dhillon Dominguez Donnelly "
    "Drummond Dubois Eklund Ellsworth Engstrom Eriksen Escobar Fairbanks Farquhar Fernandes Figueroa Fitzgerald "
    "Fontaine Forsythe Frydrych Gallagher Galloway Garibaldi Georgiou Ghosh Gilchrist Goldberg Gorecki Granger "
    "Grzybowski Guerrero Gunnarsson Haddad Hakimi Halvorsen Hanrahan Hashimoto Hathaway Hawthorne Heikkinen Hernandez "
    "Hofmann Holloway Horvath Hutchinson Ibanez Iglesias Ikeda Ivanov Jankowski Jaramillo Jensen Jovanovic Kaczmarek "
    "Kamara Kapoor Karlsson Kavanagh Khalil Kilpatrick Kobayashi Kowalski Krishnan Kuznetsov Lachance Lagerfeld Larkin "
    "Lavoie Lefebvre Lindqvist Lockhart Lombardi Longworth Macdonald Mahoney Makinen Malhotra Marchetti Matsumoto "
    "Mbeki McAllister McCarthy Medvedev Mendoza Mensah Merriweather Mikkelsen Mitchell Montague Moreau Moretti Mwangi "
    "Nakamura Navarro Ndiaye Nguyen Nikolaidis Novak Nwosu Obrien Ocampo Odonnell Okafor Olszewski Onyango Ostrowski "
    "Pacheco Papadakis Paquette Pellegrini Pemberton Petrov Pickering Prendergast Quintero Radcliffe Rahman Ramaswamy "
    "Rasmussen Ravenscroft Renard Ricci Rosenthal Rutherford Sandoval Santoro Schaefer Schneider Shaughnessy Siddiqui "
    "Sinclair Sobczak Sorensen Stavros Steinberg Strickland Sutherland Svensson Szabo Takahashi Tessier Thorvaldsen "
    "Tremblay Uchida Underhill Vandenberg Vasquez Villanueva Vogel Wadsworth Wakefield Weatherby Whitaker Wieczorek "
    "Winslow Wojcik Yamamoto Yilmaz Zielinski Zimmerman"
)
FACTS: Final = {
    "{name} sent the blue kettle back because its lid does not close.": "returned kettle",
    "The bank of {name} rejected the monthly direct debit in March.": "failed payment by debit",
    "We moved the fibre installation of {name} to a Tuesday morning.": "new date for the internet technician",
    "{name} is allergic to penicillin and told the nurse so.": "medication allergy",
    "The rental car of {name} came back with a scratched left door.": "damage to the hired car",
}
"""What is written, with what is asked for."""
FORMS: Final = ("full name", "lower case", "surname only", "initial", "typo")


class Task(NamedTuple):
    """``documents`` in the order of their ids; by form, the questions: text, answering document, name as typed."""

    documents: list[str]
    questions: dict[str, list[tuple[str, int, str]]]


def task(people: int = 200) -> Task:
    """The same task every time. ``people``: at most 200."""
    draw = random.Random(20261125)
    surnames = draw.sample(SURNAMES, people)
    names = [f"{draw.choice(GIVEN)} {surname}" for surname in surnames]
    facts = list(FACTS.items())
    documents = [fact.format(name=name) for name in names for fact, _ in facts]
    questions: dict[str, list[tuple[str, int, str]]] = {form: [] for form in FORMS}
    for number, name in enumerate(names):
        about = number % len(facts)
        for form in FORMS:
            typed = _typed(name, form, draw)
            text = f"{typed} {facts[about][1]}"
            questions[form].append((text, number * len(facts) + about, typed))
    return Task(documents, questions)


def _typed(name: str, form: str, draw: random.Random) -> str:
    given, surname = name.split()
    match form:
        case "full name":
            return name
        case "lower case":
            return name.lower()
        case "surname only":
            return surname.lower()
        case "initial":
            return f"{given[0]}. {surname}"
        case _:
            at = draw.randrange(1, len(surname) - 1)
            slip = draw.choice((surname[:at] + surname[at + 1 :], surname[:at] + surname[at] + surname[at:]))
            return f"{given} {slip}".lower()

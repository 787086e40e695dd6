"""Invented people, firms and places, by language. The pairs are put together at random; nobody is meant.

Given names and surnames are of two kinds: common ones, and ones the detector's own lists do not hold (README.md prints how
many of each came out). Firms and streets are made up; towns are real, chosen small and away from the training templates.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

PEOPLE: Final[dict[str, tuple[str, str]]] = {
    "en": (
        "Margaret Colin Yvonne Desmond Harriet Tamsin Kezia Leofric Ottoline Ngaio Clementine Rhydian Jocasta Percival "
        "Anwen Corin Dulcie Evander Fenella Gwilym Isolde Lachlan Merrin Thaddeus",
        "Pemberton Achterberg Fothergill Tregaskis Wrathall Okonjo Bickerstaff Penhaligon Quillfeather Garside Lumsden "
        "Trevanion Hathersage Micklethwaite Oduya Rackstraw Sallow Threlkeld Uttley Vexley Marlowe Whitcombe",
    ),
    "de": (
        "Sieglinde Ottokar Hannelore Thorben Wiebke Eckehard Gesine Burkhard Friedlinde Lutz Annegret Henrike Malte Ulrike",
        "Brinkschulte Oberhofer Wackernagel Tietjen Schlüter Hinrichsen Pfannenstiel Röttger Kühnast Zwirner Maibaum Uhlig",
    ),
    "fr": (
        "Solène Thibault Ghislaine Aurélien Capucine Anselme Maëlys Fulbert Océane Gwenaël Bérengère Loïc Apolline Yannick",
        "Delacourcelle Baudouin Pelletier Guéguen Vasseur Lhermitte Champagnat Rouvière Tanguy Escoffier Marchais Quémener",
    ),
    "es": (
        "Remedios Gonzalo Itziar Fermín Amaya Leandro Casilda Baldomero Nerea Aitor Purificación Evaristo Macarena Íñigo",
        "Urrutia Benavides Arizmendi Peñalver Goicoechea Montalbán Zurita Valdivieso Ordóñez Carrascal Llorente Bermejo",
    ),
    "it": (
        "Ornella Gaspare Fiammetta Ettore Ludovica Ermanno Beatrice Calogero Mirella Savino Gioconda Tancredi Viola Ruggero",
        "Tagliaferri Castellani Zanardelli Bonfiglio Mastroianni Quagliarella Ferrarini Lopresti Baldacci Sanguineti Orsenigo",
    ),
    "nl": (
        "Marjolein Sjoerd Hilde Wouter Fenna Diederik Anouk Teunis Geertje Rutger Saskia Floris",
        "Terpstra Kooistra Hoogendijk Zeilstra Brouwershaven Veenendaal Postma Schuurman Dekkers Oosterling",
    ),
    "pl": (
        "Bożena Zdzisław Jagoda Mieczysław Kinga Bogumił Żaneta Leszek Wiesława Przemysław",
        "Gruszczyński Wiśniowiecka Kołodziejska Brzozowski Pietrzykowska Śliwiński Chmielarz Jędrzejczyk",
    ),
    "sv": (
        "Ingegerd Torbjörn Saga Hjalmar Linnéa Sixten Ragnhild Folke Tuva Algot",
        "Hallström Bergqvist Söderlund Ekdahl Wennerström Åkerblom Lindahl Norrby",
    ),
    "da": ("Lisbeth Aksel Gudrun Niels", "Bjerregaard Kirkegaard Lauridsen Toft"),
    "pt": ("Leonor Afonso Benedita Caetano Dulce Evaristo", "Carvalhal Pimentel Sampaio Trindade Valadares Monteiro"),
    "tr": ("Elif Cemal Sevgi Kemal Zehra Tarık", "Erdoğmuş Balcı Kılıçarslan Ateş Gündüz Toprak"),
    "world": (
        "Nkechi Thandolwenkosi Anahera Haruto Priyanka Yewande Tevita Nguyet Farrukh Oluwaseun Zainab Kwabena Soo-jin Aroha Itzel "
        "Rashmika Dagny Mehrnaz Bolormaa Sefa",
        "Ezeokoli Mthembu Ngata Takahara Venkataraman Olorunfemi Faleolo Trinh Rahmonov Abiodun Haddadin Boateng Kwon Parata "
        "Xicohtencatl Deshmukh Sigurdsdottir Farahani Ganbold Leilua",
    ),
}  # fmt: skip
"""Given names and surnames, divided by white space."""

TOWNS: Final[dict[str, str]] = {
    "en": "Haverfordwest|Todmorden|Sligo|Chillicothe|Wagga Wagga|Moose Jaw|Berwick-upon-Tweed|Invercargill|Walla Walla|Kirkcaldy",
    "de": "Oelde|Ueckermünde|Schwäbisch Gmünd|Bludenz|Quedlinburg|Buxtehude|Meiningen",
    "fr": "Quimperlé|Montceau-les-Mines|Vesoul|Aubenas|Saint-Lô|Romorantin|Péronne",
    "es": "Calatayud|Sanlúcar de Barrameda|Tudela|Antequera|Ponferrada|Zafra",
    "it": "Busto Arsizio|Sciacca|Gubbio|Chioggia|Cuneo|Vasto",
    "nl": "Harlingen|Bergen op Zoom|Winschoten|Tiel|Meppel",
    "pl": "Kłodzko|Suwałki|Nowy Sącz|Iława",
    "sv": "Härnösand|Trelleborg|Kiruna|Mariestad",
    "da": "Ringsted|Hobro|Thisted",
    "pt": "Tavira|Bragança|Santarém",
    "tr": "Kayseri|Bodrum|Çorum",
    "world": "Kumasi|Hokitika|Coimbatore|Nukus|Oaxaca|Hamamatsu",
}

STREETS: Final[dict[str, str]] = {
    "en": "# Cobblers Row|## Saltpan Wynd|#08 Heron Quay|## Dapple Mews, Unit #|4##0 Windrow Pkwy|7## E Quarry St|1##1 Larkspur Trail NW|"
          "The Old Forge, ## Tanyard Lane|Flat #, ## Bellwether Crescent|##a Pound Hill",
    "de": "Kälberstieg ##|Untere Mühlgasse #|Lerchenweg ##a|Am Alten Gaswerk #|An der Schleuse ##|Heidkampsweg #4|Pestalozziallee 1##",
    "fr": "# impasse des Lavoirs|## bis rue du Four-à-Chaux|1## chemin de la Garenne|#, place aux Herbes|## allée des Charmes",
    "es": "Calle de los Curtidores, ##|Paseo del Molino #, 2º B|Camino Viejo ##|Plaza del Grano, #|C/ Herreros ##",
    "it": "Via delle Conce ##|Corso Filanda #4|Vicolo Stretto #|Piazza del Grano, ##|Viale dei Tigli 1##",
    "nl": "Leerlooierspad ##|Oude Havendijk #|Zaagmolenkade ##-#|Turfsingel 1##",
    "pl": "ul. Garbarska ##|ul. Młyńska #/##|al. Lipowa ##|os. Sosnowe #",
    "sv": "Garvaregatan ##|Kvarnbacken #|Södra Hamnvägen ##B|Lingonstigen #",
    "da": "Skolegade ##|Åboulevarden #", "pt": "Rua do Moinho ##|Largo da Sé, #", "tr": "Çınar Sokak No: ##|İnönü Caddesi ##",
    "world": "## Kereru Street|Plot #4, Adum Road|## Harbour View Rd",
}  # fmt: skip

POSTCODES: Final[dict[str, str]] = {
    "en": "9####|0####|QV# #XX|VX## #QJ", "de": "0####|3####", "fr": "2####|7####", "es": "5####|0####", "it": "2####|9####",
    "nl": "#### QX|1### VZ", "pl": "##-###", "sv": "### ##", "da": "####", "pt": "####-###", "tr": "0####", "world": "####|6#####",
}  # fmt: skip

FIRMS: Final[dict[str, str]] = {
    "en": "Tallowgate Mutual|Brackenfell Foods Ltd|Osprey & Wren LLP|Kittiwake Robotics, Inc.|St Ebba's Infirmary|Sandbar Credit Union",
    "de": "Moorland Feinmechanik GmbH|Kranich Versicherung AG|Stadtwerke Oelde|Zweirad Pohlmann KG",
    "fr": "Ateliers Garance SARL|Mutuelle du Ponant|Boulangerie Lavaur|Transports Ravel SA",
    "es": "Conservas Albariza S.L.|Hospital Santa Olaya|Talleres Guadiela S.A.",
    "it": "Officine Brenta S.r.l.|Banca del Tiglio|Cartiera Valdorcia S.p.A.",
    "nl": "Zaagmolen B.V.|Coöperatie De Kiekendief|Verzekeraar Waterlinie N.V.",
    "pl": "Garbarnia Sp. z o.o.|Przychodnia Lipowa|Wydawnictwo Czapla S.A.",
    "sv": "Tallmo Bygg AB|Försäkringsbolaget Tranan|Vårdcentralen Kvarnbacken",
    "da": "Kattegat Rederi A/S|Fjordby Sygehus",
    "pt": "Conservas Ria Lda|Banco do Sado",
    "tr": "Toros Lojistik A.Ş.|Anadolu Pamuk",
    "world": "Kereru Dairy Co-operative|Adum Textiles Ltd|Mizube Shipping K.K.",
}

COUNTRIES: Final = "Norway|Uruguay|Ghana|Cambodia|Slovenia|Oman|Latvia|South Korea|Peru|the Netherlands"
COUNTRIES_DE: Final = "Norwegen|Ghana|Lettland|Peru"


class Cast:
    """One text's people, of a language. ``lists`` is this module, or one that holds other people under the same names."""

    def __init__(self, rng: random.Random, language: str, lists: ModuleType | None = None) -> None:
        self._rng = rng
        self._lists = lists or sys.modules[__name__]
        self._language = "world" if language == "en" and rng.random() < 0.3 else language

    def _of(self, table: dict[str, str]) -> str:
        return self._one_of(table[self._language].split("|"))

    def _one_of(self, words: Sequence[str]) -> str:
        return self._rng.choice(words)

    def given(self) -> str:
        return self._one_of(self._lists.PEOPLE[self._language][0].split())

    def surname(self) -> str:
        return self._one_of(self._lists.PEOPLE[self._language][1].split())

    def caps(self) -> str:
        return f"{self.given()} {self.surname()}".upper()

    def initials(self) -> str:
        return f"{self.given()[0]}. {self.given()[0]}. {self.surname()}"

    def country(self) -> str:
        return self._one_of(self._lists.COUNTRIES.split("|")).removeprefix("the ")

    def country_de(self) -> str:
        return self._one_of(self._lists.COUNTRIES_DE.split("|"))

    def caps_town(self) -> str:
        return self.town().upper()

    def person(self) -> str:
        rng, roll = self._rng, self._rng.random()
        if roll < 0.08:
            return f"{self.given()[0]}. {self.surname()}"
        if roll < 0.14:
            return f"{self.given()} {self.given()} {self.surname()}"
        if roll < 0.2:
            return f"{self.given()} {self.surname()}-{self.surname()}"
        joiner = {"nl": " van der ", "es": " "}.get(self._language, " ") if rng.random() < 0.3 else " "
        return f"{self.given()}{joiner}{self.surname()}"

    def listed(self) -> str:
        return f"{self.surname()}, {self.given()}"

    def town(self) -> str:
        return self._of(self._lists.TOWNS)

    def firm(self) -> str:
        return self._of(self._lists.FIRMS)

    def street(self) -> str:
        return self._numbered(self._of(self._lists.STREETS))

    def postcode(self) -> str:
        return self._numbered(self._of(self._lists.POSTCODES))

    def _numbered(self, form: str) -> str:
        return "".join(str(self._rng.randint(1, 9)) if char == "#" else char for char in form)

"""The people, firms, streets and towns of the texts that are held out: none stands in ``people.py`` or in what the names
model is trained on by choice. Invented and put together at random; towns and countries exist.
"""

from __future__ import annotations

from typing import Final

PEOPLE: Final[dict[str, tuple[str, str]]] = {
    "en": (
        "Rosalind Bertram Imogen Alasdair Philippa Cedric Marigold Gareth Winifred Barnaby Eleanor Tobias Josephine Rupert Shaniqua "
        "Deshawn Latoya Brayden Kaylee Tucker",
        "Hollingworth Ainscough Bramwell Crowther Dunphy Eastwick Fairclough Grimshaw Hebblethwaite Inskip Jessop Kershaw Liversedge "
        "Murgatroyd Oglethorpe Pilkington Ramsbottom Satterthwaite Washington Jefferson Hatfield McAllister O'Shaughnessy",
    ),
    "de": ("Roswitha Detlef Kunigunde Jörg Heike Matthias Swantje Korbinian Renate Volker Ingeborg Götz",
           "Niedermeyer Haberkorn Schwarzkopf Kloppenburg Dreesen Lindenblatt Vogelsang Bärenreuter Hufnagel Stegemann Weißgerber"),
    "fr": ("Mathilde Gaspard Élodie Benoît Joséphine Corentin Véronique Étienne Margaux Clément",
           "Desrosiers Lamoureux Bellanger Chauvet Montagnac Roquefeuil Villeneuve Péchard Lefrançois Thévenin"),
    "es": ("Rocío Ignacio Encarnación Joaquín Maite Rodrigo Asunción Ximena Álvaro Inmaculada",
           "Echeverría Villanueva Carrasquilla Santamaría Olazábal Fuensanta Bohórquez Quintanilla Sotomayor Iturralde"),
    "it": ("Donatella Vincenzo Rosalba Leopoldo Immacolata Guglielmo Agnese Raimondo Filomena Cosimo",
           "Pellegrini Montalcini Scognamiglio Della Valle Brambilla Cavallaro Tedeschi Frattini Giannetti Lombardozzi"),
    "nl": ("Liesbeth Gijsbert Maaike Hendrikus Femke Joost Wilhelmina Sander Tjitske Bram",
           "Bloemendaal Hoekstra Kuipers Wiersma Roosendaal Vermeulen Dijkgraaf Smeets Lammers Nijboer"),
    "pl": ("Grażyna Wojciech Halina Stanisław Małgorzata Radosław Jadwiga Czesław",
           "Zawadzka Piotrowski Szczepańska Krajewski Wróblewska Majchrzak Sobczak Dąbrowski"),
    "sv": ("Birgitta Göran Annika Ragnar Solveig Håkan Märta Sven-Erik", "Sandström Öberg Fagerlund Nyqvist Holmberg Blomgren Lundin Sjögren"),
    "da": ("Kirsten Mogens Bodil Søren", "Kjeldsen Østergaard Thygesen Mikkelsen"),
    "pt": ("Conceição Joaquim Graça Henrique Fátima Duarte Lurdes Gonçalo", "Figueiredo Vasconcelos Albuquerque Magalhães Teixeira Quaresma Bragança Sequeira"),
    "tr": ("Ayşegül Orhan Gülsüm Tuncay Nilüfer Serkan Feride Bülent", "Karadağ Özdemir Yıldırım Çetinkaya Aksoy Demirtaş Korkmaz Şahin"),
    "world": (
        "Chidinma Sunita Hiroshi Xiuying Fatou Rajesh Mwangi Noor Ikenna Lakshmi Takeshi Wei-Ling Abdullah Samira Kofi Leilani Arjun "
        "Mehmet Zhihao Keiko",
        "Nwachukwu Chatterjee Yamashita Zhang Diallo Subramaniam Kamau Al-Farsi Onyekachi Krishnamurthy Matsumoto Huang El-Sayed Haddad "
        "Asante Kahananui Banerjee Iyer Nakagawa Okafor",
    ),
}  # fmt: skip

TOWNS: Final[dict[str, str]] = {
    "en": "Basingstoke|Poughkeepsie|Ballarat|Medicine Hat|Scunthorpe|Chattanooga|Dunedin|Cork|Fargo|Stoke-on-Trent",
    "de": "Bielefeld|Wolfenbüttel|Villach|Bad Kreuznach|Cottbus|Winterthur",
    "fr": "Angoulême|Clermont-Ferrand|Vannes|Sète|Bourg-en-Bresse",
    "es": "Valladolid|Ciudad Real|Torrelavega|Jerez de la Frontera|Huesca",
    "it": "Reggio Emilia|Caltanissetta|Bergamo|Vercelli|L'Aquila",
    "nl": "Den Bosch|Zwolle|Apeldoorn|Roermond",
    "pl": "Bielsko-Biała|Olsztyn|Zakopane|Kielce",
    "sv": "Norrköping|Örebro|Kalmar|Luleå",
    "da": "Esbjerg|Horsens|Svendborg",
    "pt": "Viana do Castelo|Évora|Guimarães|Setúbal",
    "tr": "Eskişehir|Trabzon|Konya|Gaziantep",
    "world": "Ibadan|Nagoya|Chandigarh|Guadalajara|Mombasa|Suva|Chengdu|Alexandria",
}

STREETS: Final[dict[str, str]] = {
    "en": "## Marlborough Street|1### NW Alder Ave, Apt #|Unit #, ### Wharf Road|#4 St Oswald's Lane|2#00 Cedar Hollow Drive|1# The Paddock|P.O. Box ###|### County Road ##",
    "de": "Hopfenstraße ##|Am Südhang #|Kirchplatz 1#|Wilhelm-Busch-Weg ##b|Neuer Wall ##", "fr": "## rue des Tanneurs|#, quai Saint-Michel|1## boulevard Carnot|# ter chemin des Vignes",
    "es": "Calle Mayor ##, 3º A|Avenida de la Constitución 1##|Plaza Nueva, #|Ronda Norte ##", "it": "Via Garibaldi ##|Piazza Cavour #|Corso Matteotti 1##/B|Via Don Minzoni #",
    "nl": "Molenstraat ##|Prins Hendrikkade 1##-#|Beukenlaan #", "pl": "ul. Szkolna ##|ul. Długa #/##|pl. Wolności #", "sv": "Storgatan ##|Björkvägen #B|Drottninggatan 1##",
    "da": "Vestergade ##|Nørre Allé #", "pt": "Rua das Flores, ##|Avenida da Liberdade 1##|Travessa do Carmo #", "tr": "Atatürk Caddesi No: ##|Gül Sokak No: #/##",
    "world": "## Marine Parade|B-###, Sector ##|Flat ##, Rose Garden Apartments",
}  # fmt: skip

POSTCODES: Final[dict[str, str]] = {
    "en": "8####|1####-####|QX# #VB|ZZ## #XJ", "de": "3####|9####", "fr": "1####|3####", "es": "4####|2####", "it": "4####|1####",
    "nl": "3### VX|7### QZ", "pl": "##-###", "sv": "### ##", "da": "####", "pt": "####-###", "tr": "3####", "world": "####|4#####",
}  # fmt: skip

FIRMS: Final[dict[str, str]] = {
    "en": "Harrowgate Analytics|Blue Heron Logistics Ltd|Pemberley & Sons|Norcastle Borough Council|Redwater Energy Corp.|Lakeside Community Hospital|"
          "Ashdown Football Club|First Meridian Bank|VistaCore|The Fenwick Foundation|Quarrystone Capital LLC|University of Norcastle",
    "de": "Hansa Werkzeugbau GmbH|Alpenland Krankenkasse|Nordlicht Energie AG|Volksbank Harzrand eG|Sportverein Grünau", "fr": "Verreries du Littoral SA|Banque Mirabeau|Clinique des Cèdres|Association Clairval",
    "es": "Bodegas Peñafría S.L.|Banco Altamar|Clínica Virgen del Valle|Grupo Montesol", "it": "Ceramiche Aurelia S.r.l.|Banca Ponente|Clinica San Celso|Gruppo Valsesia",
    "nl": "Bouwbedrijf Oostwold B.V.|Noorderzorg|Stichting Het Baken", "pl": "Mebloform Sp. z o.o.|Bank Nadodrzański|Fundacja Jantar",
    "sv": "Nordvik Teknik AB|Kustbanken|Björkhaga Sjukhus", "da": "Vesterhavs Byg A/S|Sydbanken Fyn", "pt": "Cerâmica Beirã Lda|Banco Atlântida|Hospital de Santa Clara",
    "tr": "Ege Tekstil A.Ş.|Boğaz Sigorta", "world": "Lotus Textiles Pvt Ltd|Savanna Telecom|Hikari Denki K.K.|Jade River Holdings",
}  # fmt: skip

COUNTRIES: Final = "Denmark|Paraguay|Kenya|Vietnam|New Zealand|Jordan|Lithuania|Saudi Arabia|Chile|the Philippines"
COUNTRIES_DE: Final = "Dänemark|Kenia|Litauen|Chile"

"""Words that stand beside names in eight languages, and sentences put together from them, for :mod:`abroad`.

``{role}`` stands in front of a name and is no part of it, ``{verb}`` behind one, ``{noun}`` is a thing; ``{Noun}`` is one with a
capital, as slogans and contracts write it.
"""

from __future__ import annotations

ROLE = {
    "de": "Herr|Frau|Herrn|Doktor|Dr.|Professor|Oberärztin|Chefarzt|Hausarzt|Richterin|Staatsanwalt|Anwältin|Zeuge|Ministerin|Kanzler|Präsident|Stürmer|Torwart|"
          "Kollege|Kollegin|Nachbarin|Direktor|Geschäftsführer|Patient|Klientin|Schauspielerin|Sänger|Autor|Lehrerin|Pfarrer|Kommissarin|Sprecher|Onkel|Schwester",
    "fr": "M.|Mme|Monsieur|Madame|Mlle|Dr|docteur|professeur|Me|Maître|le juge|le procureur|la ministre|le président|l'attaquant|le gardien|l'acteur|la chanteuse|"
          "le maire|la directrice|mon collègue|ma voisine|le patient|la cliente|le témoin|l'avocate|le préfet|l'écrivain|oncle|tante|sœur|capitaine",
    "es": "Sr.|Sra.|Don|Doña|señor|señora|doctor|doctora|Dr.|profesor|la jueza|el fiscal|la ministra|el presidente|el portero|el defensa|la actriz|el cantante|"
          "el alcalde|la directora|mi colega|mi vecina|el paciente|la clienta|el testigo|la abogada|el escritor|tío|tía|capitán|el agente|la concejala",
    "it": "Sig.|Sig.ra|signor|signora|dottor|dottoressa|Dott.|professor|il giudice|il pubblico ministero|la ministra|il presidente|il portiere|il difensore|l'attrice|"
          "il cantante|il sindaco|la direttrice|il collega|la vicina|il paziente|la cliente|il testimone|avvocato|lo scrittore|zio|zia|suor|capitano|l'imputato|ingegner",
    "nl": "meneer|mevrouw|de heer|mevr.|dhr.|dokter|dr.|professor|rechter|officier|minister|president|spits|keeper|actrice|zanger|burgemeester|directrice|collega|"
          "buurvrouw|patiënt|cliënte|getuige|advocaat|schrijver|oom|tante|zuster|kapitein|agent|wethouder|verdachte",
    "pt": "Sr.|Sra.|senhor|senhora|Dona|doutor|doutora|Dr.|professor|a juíza|o procurador|a ministra|o presidente|o goleiro|o guarda-redes|o defesa|a atriz|o cantor|"
          "o prefeito|a diretora|o colega|a vizinha|o paciente|a cliente|a testemunha|o advogado|o escritor|tio|tia|capitão|o agente|o réu|a engenheira",
    "pl": "pan|pani|Pan|Pani|doktor|dr|lek.|profesor|prof.|sędzia|prokurator|minister|premier|prezydent|bramkarz|obrońca|aktorka|piosenkarz|wójt|dyrektor|kolega|"
          "koleżanka|sąsiadka|pacjent|klientka|świadek|adwokat|mecenas|pisarz|wujek|ciocia|siostra|kapitan|komisarz|poseł",
    "sv": "herr|fru|doktor|dr|professor|domaren|åklagaren|ministern|statsministern|presidenten|målvakten|backen|skådespelaren|sångaren|kommunalrådet|direktören|"
          "kollegan|grannen|patienten|kunden|vittnet|advokaten|författaren|farbror|moster|syster|kapten|polisen|läraren|chefen|överläkaren",
}  # fmt: skip
VERB = {
    "de": "sagte|kommt|wohnt|arbeitet|gewann|verlor|traf|erklärte|starb|fragte|wartet|schreibt|kaufte|verkaufte|meldete|bat|war|ist|hat|wurde|wird|lebte|spielte|"
          "fährt|forderte|kritisierte|unterschrieb|kündigte|berichtet|leidet|ging|kam|übernahm|gründete|heiratete",
    "fr": "dit|habite|travaille|gagne|a perdu|a marqué|explique|est mort|demande|attend|écrit|achète|a vendu|signale|était|est|a|sera|vivait|jouait|part|exige|"
          "critique|a signé|résilie|raconte|souffre|va|vient|dirige|fonda|épouse|déclare|affirme",
    "es": "dijo|vive|trabaja|ganó|perdió|marcó|explicó|murió|pidió|espera|escribe|compró|vendió|avisó|era|es|ha|será|vivía|jugaba|sale|exigió|criticó|firmó|canceló|"
          "cuenta|sufre|va|viene|dirige|fundó|se casó|declaró|afirma|llamó",
    "it": "ha detto|abita|lavora|vinse|ha perso|ha segnato|spiega|morì|chiede|aspetta|scrive|compra|vendette|segnala|era|è|ha|sarà|viveva|giocava|parte|pretende|"
          "critica|firmò|disdice|racconta|soffre|va|viene|dirige|fondò|sposò|dichiara|afferma|chiamò",
    "nl": "zei|woont|werkt|won|verloor|scoorde|legde uit|stierf|vroeg|wacht|schrijft|kocht|verkocht|meldde|was|is|heeft|wordt|leefde|speelde|vertrekt|eist|"
          "bekritiseerde|tekende|zegt op|vertelt|lijdt|gaat|komt|leidt|stichtte|trouwde|verklaarde|belde|overleed",
    "pt": "disse|mora|trabalha|ganhou|perdeu|marcou|explicou|morreu|pediu|espera|escreve|comprou|vendeu|avisou|era|é|tem|será|vivia|jogava|parte|exigiu|criticou|"
          "assinou|cancelou|conta|sofre|vai|vem|dirige|fundou|casou|declarou|afirma|ligou|foi",
    "pl": "powiedział|mieszka|pracuje|wygrał|przegrał|strzelił|wyjaśniła|zmarł|prosi|czeka|pisze|kupiła|sprzedał|zgłosił|był|jest|ma|będzie|żył|grał|wyjeżdża|żąda|"
          "skrytykował|podpisała|rezygnuje|opowiada|cierpi|idzie|przyszła|kieruje|założył|wyszła|oświadczył|twierdzi|zadzwonił",
    "sv": "sade|bor|arbetar|vann|förlorade|gjorde mål|förklarade|dog|bad|väntar|skriver|köpte|sålde|anmälde|var|är|har|blir|levde|spelade|åker|krävde|kritiserade|"
          "skrev under|säger upp|berättar|lider|går|kom|leder|grundade|gifte sig|uppgav|ringde|avled",
}  # fmt: skip
NOUN = {
    "de": "Auto|Haus|Vertrag|Rückgabe|Beschwerde|Hinweis|Anruf|Werkzeug|Gesundheit|Schule|Urlaub|Frage|Antwort|Woche|Abend|Mittag|Versicherung|Krankheit|Schaden|"
          "Unfall|Straße|Wohnung|Miete|Strom|Wasser|Gericht|Urteil|Gesetz|Zahlung|Betrag|Nachricht|Sprache|Kind|Eltern|Mutter|Vater|Bruder|Freund|Arbeit|Firma|Werk|"
          "Spiel|Tor|Sieg|Verein|Kunde|Ware|Preis|Bestand|Artikel|Grund|Ende|Anfang|Leben|Tod|Jahr|Zeit|Stunde|Weg|Tür|Küche|Garten|Hund|Bahnhof|Flughafen|Bericht",
    "fr": "voiture|maison|contrat|retour|plainte|remarque|appel|outil|santé|école|vacances|question|réponse|semaine|soir|matin|assurance|maladie|dégât|accident|rue|"
          "logement|loyer|courant|eau|jugement|loi|paiement|montant|message|langue|enfant|parents|mère|père|frère|ami|travail|usine|match|but|victoire|club|prix|"
          "article|raison|fin|début|vie|mort|année|temps|heure|chemin|porte|cuisine|jardin|chien|gare|aéroport|rapport|bureau|agence|dossier|séance",
    "es": "coche|casa|contrato|devolución|queja|nota|llamada|herramienta|salud|escuela|vacaciones|pregunta|respuesta|semana|noche|tarde|seguro|enfermedad|daño|accidente|"
          "calle|piso|alquiler|luz|agua|juicio|sentencia|ley|pago|importe|mensaje|lengua|niño|padres|madre|padre|hermano|amigo|trabajo|fábrica|partido|gol|victoria|club|"
          "precio|artículo|razón|fin|principio|vida|muerte|año|tiempo|hora|camino|puerta|cocina|jardín|perro|estación|aeropuerto|informe|oficina|sesión|plazo",
    "it": "macchina|casa|contratto|reso|reclamo|avviso|chiamata|attrezzo|salute|scuola|vacanza|domanda|risposta|settimana|sera|mattina|assicurazione|malattia|danno|"
          "incidente|strada|alloggio|affitto|corrente|acqua|processo|sentenza|legge|pagamento|importo|messaggio|lingua|bambino|genitori|madre|padre|fratello|amico|lavoro|"
          "fabbrica|partita|gol|vittoria|squadra|prezzo|articolo|ragione|fine|inizio|vita|morte|anno|tempo|ora|porta|cucina|giardino|cane|stazione|aeroporto|rapporto|ufficio",
    "nl": "auto|huis|contract|retour|klacht|opmerking|telefoontje|gereedschap|gezondheid|school|vakantie|vraag|antwoord|week|avond|middag|verzekering|ziekte|schade|"
          "ongeluk|straat|woning|huur|stroom|water|vonnis|wet|betaling|bedrag|bericht|taal|kind|ouders|moeder|vader|broer|vriend|werk|fabriek|wedstrijd|doelpunt|zege|"
          "ploeg|prijs|artikel|reden|einde|begin|leven|dood|jaar|tijd|uur|weg|deur|keuken|tuin|hond|station|vliegveld|rapport|kantoor|zitting|termijn|chauffeur",
    "pt": "carro|casa|contrato|devolução|queixa|aviso|chamada|ferramenta|saúde|escola|férias|pergunta|resposta|semana|noite|tarde|seguro|doença|dano|acidente|rua|"
          "apartamento|aluguel|luz|água|processo|sentença|lei|pagamento|valor|mensagem|língua|criança|pais|mãe|pai|irmão|amigo|trabalho|fábrica|jogo|gol|golo|vitória|"
          "clube|preço|artigo|razão|fim|começo|vida|morte|ano|tempo|hora|caminho|porta|cozinha|jardim|cachorro|estação|aeroporto|escritório",
    "pl": "samochód|dom|umowa|zwrot|skarga|uwaga|telefon|narzędzie|zdrowie|szkoła|wakacje|pytanie|odpowiedź|tydzień|wieczór|rano|ubezpieczenie|choroba|szkoda|wypadek|"
          "ulica|mieszkanie|czynsz|prąd|woda|wyrok|ustawa|płatność|kwota|wiadomość|język|dziecko|rodzice|matka|ojciec|brat|przyjaciel|praca|fabryka|mecz|gol|zwycięstwo|"
          "klub|cena|towar|powód|koniec|początek|życie|śmierć|rok|czas|godzina|droga|drzwi|kuchnia|ogród|pies|dworzec|lotnisko|raport|biuro|zebranie",
    "sv": "bil|hus|avtal|retur|klagomål|anmärkning|samtal|verktyg|hälsa|skola|semester|fråga|svar|vecka|kväll|morgon|försäkring|sjukdom|skada|olycka|gata|lägenhet|hyra|"
          "ström|vatten|dom|lag|betalning|belopp|meddelande|språk|barn|föräldrar|mor|far|bror|vän|arbete|fabrik|match|mål|seger|klubb|pris|vara|orsak|slut|början|liv|"
          "död|år|tid|timme|väg|dörr|kök|trädgård|hund|station|flygplats|rapport|kontor|sammanträde",
}  # fmt: skip
MIXED = {
    "de": r"""{role} {last} {verb} am Freitag in {city}.|{role} {person} {verb} nicht mehr.|{last} {verb} das {noun} und die {noun}.|{first} {verb} mit {first} ins {noun}.|Laut {last} {verb} {house} keine {noun}.|Nach Angaben von {role} {last} {verb} die {noun} in {city} zu spät.|
Die {noun}, der {noun} und das {noun} sind da.|Kein {noun} ohne {noun}: das {noun} {verb} erst am {noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{noun} und {noun}"}}|{noun}: {person}\n{noun}: {city}\n{noun}: {noun}|In {city} {verb} {house} den {noun}.|{person} ({num}) {verb} seit Jahren bei {house}.|
Mit freundlichen Grüßen, {role} {person}|Das ist {role} {last} von {house}, bitte um {noun}.""",
    "fr": r"""{role} {last} {verb} vendredi à {city}.|{role} {person} ne {verb} plus.|{last} {verb} la {noun} et le {noun}.|{first} {verb} avec {first} au {noun}.|Selon {last}, {house} {verb} sans {noun}.|D'après {role} {last}, la {noun} {verb} trop tard à {city}.|
La {noun}, le {noun} et l'{noun} sont prêts.|Le {Noun} et la {Noun} : pas de {Noun} sans {Noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} et {noun}"}}|{Noun} : {person}\n{Noun} : {city}\n{Noun} : {noun}|À {city}, {house} {verb} le {noun}.|{person} ({num} ans) {verb} chez {house}.|
Cordialement, {role} {person}|J'ai vu {role} {last} de {house} pour le {noun}.""",
    "es": r"""{role} {last} {verb} el viernes en {city}.|{role} {person} ya no {verb}.|{last} {verb} la {noun} y el {noun}.|{first} {verb} con {first} al {noun}.|Según {last}, {house} {verb} sin {noun}.|Según fuentes de {house}, la {noun} {verb} tarde en {city}.|
La {noun}, el {noun} y la {noun} están listos.|El {Noun} y la {Noun}: no hay {Noun} sin {Noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} y {noun}"}}|{Noun}: {person}\n{Noun}: {city}\n{Noun}: {noun}|En {city}, {house} {verb} el {noun}.|{person} ({city}, {num}) {verb} en {house}.|
Atentamente, {role} {person}|Hablé con {role} {last} de {house} sobre el {noun}.""",
    "it": r"""{role} {last} {verb} venerdì a {city}.|{role} {person} non {verb} più.|{last} {verb} la {noun} e il {noun}.|{first} {verb} con {first} al {noun}.|Secondo {last}, {house} {verb} senza {noun}.|Per {role} {last} la {noun} {verb} tardi a {city}.|
La {noun}, il {noun} e l'{noun} sono pronti.|Il {Noun} e la {Noun}: niente {Noun} senza {Noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} e {noun}"}}|{Noun}: {person}\n{Noun}: {city}\n{Noun}: {noun}|A {city} {house} {verb} il {noun}.|{person} ({num} anni) {verb} in {house}.|
Cordialmente, {role} {person}|Ho visto {role} {last} di {house} per il {noun}.""",
    "nl": r"""{role} {last} {verb} vrijdag in {city}.|{role} {person} {verb} niet meer.|{last} {verb} het {noun} en de {noun}.|{first} {verb} met {first} naar het {noun}.|Volgens {last} {verb} {house} zonder {noun}.|Volgens {role} {last} {verb} de {noun} te laat in {city}.|
De {noun}, het {noun} en de {noun} zijn klaar.|De {Noun} en het {Noun}: geen {Noun} zonder {Noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} en {noun}"}}|{Noun}: {person}\n{Noun}: {city}\n{Noun}: {noun}|In {city} {verb} {house} de {noun}.|{person} ({num}) {verb} bij {house}.|
Hoogachtend, {role} {person}|Ik sprak {role} {last} van {house} over het {noun}.""",
    "pt": r"""{role} {last} {verb} sexta-feira em {city}.|{role} {person} já não {verb}.|{last} {verb} a {noun} e o {noun}.|{first} {verb} com {first} ao {noun}.|Segundo {last}, a {house} {verb} sem {noun}.|De acordo com {role} {last}, a {noun} {verb} tarde em {city}.|
A {noun}, o {noun} e a {noun} estão prontos.|O {Noun} e a {Noun}: não há {Noun} sem {Noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} e {noun}"}}|{Noun}: {person}\n{Noun}: {city}\n{Noun}: {noun}|Em {city}, a {house} {verb} o {noun}.|{person} ({num} anos) {verb} na {house}.|
Atenciosamente, {role} {person}|Falei com {role} {last} da {house} sobre o {noun}.""",
    "pl": r"""{role} {last} {verb} w piątek w {cityloc}.|{role} {person} już nie {verb}.|{last} {verb} i {verb}.|{first} {verb} z {firstgen} na {noun}.|Według {lastgen} {house} {verb} bez słowa.|Zdaniem {role} {lastgen} {noun} w {cityloc} {verb} za późno.|
To {noun}, {noun} oraz {noun}.|{Noun} i {Noun}: żadna {Noun} bez zgody.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} i {noun}"}}|{Noun}: {person}\n{Noun}: {city}\n{Noun}: {noun}|W {cityloc} {house} {verb} w sprawie {lastgen}.|{person} ({num} lat) {verb} w {house}.|
Z wyrazami szacunku, {role} {person}|Rozmowa: {role} {last} z {house}, {noun}.|List do {persongen} z {citygen}.""",
    "sv": r"""{role} {last} {verb} på fredag i {city}.|{role} {person} {verb} inte längre.|{last} {verb} med {noun} och {noun}.|{first} {verb} med {first}.|Enligt {last} {verb} {house} utan {noun}.|Enligt {role} {last} {verb} det för sent i {city}.|
Här är {noun}, {noun} och {noun}.|{Noun} och {Noun}: ingen {Noun} utan {Noun}.|{{"{noun}": "{person}", "{noun}": "{city}", "{noun}": "{Noun} och {noun}"}}|{Noun}: {person}\n{Noun}: {city}\n{Noun}: {noun}|I {city} {verb} {house} med {noun}.|{person} ({num} år) {verb} på {house}.|
Med vänliga hälsningar, {role} {person}|Jag träffade {role} {last} från {house} om {noun}.""",
}  # fmt: skip

"""Sentences in eight languages of Europe, written out with their values marked: ``[P|person]``, ``[L|place]``,
``[O|organization]``, ``[A|street and number]``, ``[Z|postcode]``; ``⏎`` is a line break. All people, streets and events are invented,
towns, countries and some organizations exist. Letters, chat, forms, notes of clinics, judgements, news, encyclopedia, JSON, CSV
and plain sentences full of capitalized words.

``READ`` was looked at while the detector was changed. ``KEPT`` was written in the same hour, before the detector was tried on
either; of it only sums were looked at. ``europe_make.py`` writes both into ``europe.jsonl``.
"""

from __future__ import annotations

from typing import Final

READ: Final[dict[str, str]] = {
    "de": """
Sehr geehrte Frau [P|Ostermann],⏎anbei erhalten Sie die Unterlagen zu Ihrem Antrag. Bei Fragen wenden Sie sich bitte an Herrn [P|Thilo Wackernagel].⏎⏎Mit freundlichem Gruß⏎[P|Anneliese Brodersen]⏎[O|Stadtwerke Lüneburg]
Der Kläger [P|Detmar Quandt], wohnhaft [A|Eichenweg 14], [Z|21337] [L|Lüneburg], begehrt Schadensersatz wegen der Kündigung vom 3. März.
hey [P|Svea], kannst du [P|Malte] fragen, ob er die Schlüssel hat? ich bin grad in [L|Hannover]
Die Patientin [P|Hedwig Straubinger] wurde gestern von Oberarzt [P|Kettler] untersucht; Befund unauffällig, Kontrolle in zwei Wochen.
Laut [P|Wackernagel] will der Konzern [O|Siemens] das Werk in [L|Görlitz] bis Ende des Jahres schließen.
[P|Friedhelm Asmussen] (geboren 1931 in [L|Flensburg]) war ein deutscher Maler und Bildhauer. Er studierte in [L|Kassel] und lebte zuletzt in [L|Dänemark].
{"vorgang": "Reklamation", "bearbeiter": "[P|Jule Kammerer]", "filiale": "[L|Regensburg]", "bemerkung": "Kunde wünscht Rückruf am Vormittag"}
Die Mannschaft aus [L|Bremen] gewann das Spiel gegen [O|Borussia Dortmund] dank eines späten Tores von [P|Kouassi].
Bitte überweisen Sie den Betrag bis Freitag. Die Rechnung, der Lieferschein und die Mahnung liegen bei.
Termin, Beratung und Abholung sind kostenlos. Unsere Öffnungszeiten: Montag bis Samstag, Sonntag Ruhetag.
Vertrag zwischen der [O|Hausverwaltung Pohlmann GmbH] und [P|Ylva Reimers], [A|Am Deich 3], [Z|26721] [L|Emden].
Ich habe mit [P|Gesine] telefoniert, sie meint, dass Frau Dr. [P|Obermüller] erst nächste Woche wieder im Haus ist.
""",
    "fr": """
Madame [P|Cazenave],⏎suite à votre courrier, nous vous confirmons la résiliation de votre contrat.⏎Veuillez agréer nos salutations distinguées.⏎[P|Régis Taillandier]⏎Service Clients
Le requérant, M. [P|Yannick Le Goff], est un ressortissant français né en 1974 et résidant à [L|Quimper].
coucou [P|Maëlys] tu viens samedi ? [P|Hugo] et moi on part de [L|Toulouse] vers 10h
Patiente de 54 ans adressée par le Dr [P|Fournel] pour douleurs thoraciques. Son mari, [P|Ghislain], est joignable le soir.
[P|Odile Castagnier] est une romancière française née à [L|Limoges]. Elle vit au [L|Portugal] depuis 2003.
Selon [P|Taillandier], la direction de [O|Renault] a refusé de commenter la fermeture du site de [L|Douai].
Livraison : [A|27 rue des Tanneurs], [Z|35000] [L|Rennes]. Demander Mme [P|Aubry] au deuxième étage.
nom;prénom;ville⏎[P|Berthier];[P|Lucas];[L|Grenoble]⏎[P|Zaoui];[P|Inès];[L|Marseille]
Bonjour, je voudrais annuler ma commande. Le Service Après-Vente ne répond pas et la Facture est fausse.
Conformément aux Conditions Générales de Vente, le Client dispose d'un délai de quatorze jours. Le Vendeur rembourse la totalité.
La Cour de cassation a rejeté le pourvoi formé par [P|Aïcha Benslimane] contre la [O|Société Générale].
J'ai parlé avec [P|Thibault] hier soir, il m'a dit que [P|Capucine] avait quitté l'entreprise.
""",
    "es": """
Estimada Sra. [P|Ballesteros]:⏎Le informamos de que su solicitud ha sido aprobada. Atentamente,⏎[P|Fermín Arrizabalaga]⏎Departamento de Atención al Cliente
El acusado, [P|Lisandro Peñalver], vecino de [L|Albacete], fue condenado a dos años de prisión por el [O|Tribunal Supremo].
oye [P|Nerea], ¿has visto a [P|Iker]? quedamos en [L|Bilbao] a las ocho
Paciente remitida por el doctor [P|Zubiri]; acude acompañada de su hija [P|Lucía]. Niega alergias.
[P|Evaristo Colmenares] (Caracas, 1948) es un escritor venezolano. Vivió en [L|México] y en [L|Barcelona].
El delantero [P|Okonkwo] marcó dos goles y el [O|Real Betis] ganó en [L|Pamplona].
Según fuentes de [O|Telefónica], el acuerdo con [O|Vodafone] se firmará en [L|Madrid] antes del verano.
Enviar a: [P|Remedios Tordesillas], [A|Calle de la Paloma 18, 2º B], [Z|28005] [L|Madrid]
{"cliente": "[P|Gonzalo Urrutia]", "provincia": "[L|Cáceres]", "motivo": "Factura duplicada"}
Buenos días, quiero cambiar la Tarifa de mi Contrato. Gracias por su Ayuda y un cordial Saludo.
La Junta aprobó el Presupuesto del Ejercicio anterior. El Ayuntamiento publicará el Anuncio el Lunes.
Ayer hablé con [P|Soledad] y me comentó que Don [P|Casimiro] sigue ingresado.
""",
    "it": """
Gentile Dottoressa [P|Mazzanti],⏎in allegato trova il referto del paziente [P|Ettore Bonaccorsi].⏎Distinti saluti⏎[P|Loredana Pasquinelli]
Il ricorrente [P|Ludovico Scarpellini], residente a [L|Catanzaro], ha impugnato la sentenza della [O|Corte d'Appello di Bologna].
ciao [P|Ilaria], hai sentito [P|Teo]? domani siamo a [L|Ferrara] con la macchina
Visita del 12 aprile: la signora [P|Tagliabue] riferisce dolore al ginocchio sinistro. Accompagnata dal figlio [P|Nicolò].
[P|Ermenegildo Vassalli] nacque a [L|Cremona] nel 1902 e morì in [L|Argentina]. Fu architetto e urbanista.
Secondo [P|Pasquinelli], la [O|Fiat] potrebbe chiudere lo stabilimento di [L|Termoli].
Consegnare in [A|via dei Glicini 9], [Z|40134] [L|Bologna]; al citofono [P|Fumagalli].
cognome,nome,comune⏎[P|Ruggeri],[P|Samuele],[L|Pescara]⏎[P|D'Onofrio],[P|Mirella],[L|Lecce]
Buongiorno, il Pacco non è arrivato e il Corriere non risponde. Vorrei il Rimborso della Spesa.
Il Consiglio di Amministrazione approva il Bilancio e il Verbale della Seduta precedente.
L'attaccante [P|Djuricic] ha segnato per il [O|Sassuolo] contro la [O|Juventus] a [L|Torino].
Ieri ho visto [P|Ginevra] con [P|Achille Morandini] davanti alla stazione.
""",
    "nl": """
Geachte mevrouw [P|Verstraeten],⏎hierbij bevestigen wij uw afspraak met dokter [P|Kloosterman].⏎Hoogachtend,⏎[P|Gerrit-Jan Boonstra]⏎Afdeling Klantenservice
De verdachte, [P|Ruud Schepers], geboren te [L|Enschede], heeft hoger beroep ingesteld tegen het vonnis van de rechtbank.
hoi [P|Lotte], ben je zaterdag in [L|Utrecht]? [P|Daan] komt ook
Patiënte [P|Van Ginkel] werd opgenomen met koorts. Haar zoon [P|Wouter] is contactpersoon.
[P|Adriana Terlouw] was een Nederlandse schilderes. Zij werd geboren in [L|Middelburg] en overleed in [L|Zwitserland].
Volgens [P|Boonstra] heeft [O|Philips] het kantoor in [L|Eindhoven] verkocht.
Bezorgadres: [A|Molenstraat 45], [Z|5211 DA] [L|Den Bosch], t.a.v. [P|Anouk de Wit]
{"klant": "[P|Sjoerd Hiemstra]", "plaats": "[L|Leeuwarden]", "opmerking": "Graag bellen na vijf uur"}
De Factuur en de Bestelling zijn verzonden. Uw Pakket wordt Morgen bezorgd door de Koerier.
Op Dinsdag vergadert de Raad van Bestuur over de Begroting en het Jaarverslag.
[P|Depay] scoorde twee keer en [O|Feyenoord] won in [L|Groningen].
Ik sprak gisteren [P|Maartje] en zij zei dat meneer [P|Hoogeveen] ontslag heeft genomen.
""",
    "pt": """
Prezada Senhora [P|Nogueira],⏎informamos que o seu pedido foi enviado. Atenciosamente,⏎[P|Otávio Carneiro]⏎Central de Atendimento
O réu [P|Valdemir Brandão], residente em [L|Uberlândia], interpôs recurso junto ao [O|Supremo Tribunal Federal].
oi [P|Larissa], você falou com o [P|Thiago]? a gente chega em [L|Curitiba] amanhã
Doente referenciado pelo Dr. [P|Pimentel] por dispneia. A esposa, [P|Odete], acompanha a consulta.
[P|Amadeu Salgueiro] foi um poeta português, nascido em [L|Coimbra] em 1911. Viveu em [L|Moçambique].
Segundo [P|Carneiro], a [O|Petrobras] vai investir em [L|Macaé] no próximo ano.
Entregar na [A|Rua das Flores, 120], [Z|4050-262] [L|Porto], ao cuidado de [P|Leonor Bastos].
nome;cidade⏎[P|Jurandir Peixoto];[L|Recife]⏎[P|Sílvia Marçal];[L|Braga]
Bom dia, quero cancelar a Encomenda. O Pagamento foi feito e a Fatura não chegou.
A Assembleia Geral aprovou o Relatório e as Contas do Exercício. O Presidente encerrou a Sessão.
O avançado [P|Mbemba] marcou e o [O|Benfica] venceu em [L|Faro].
Ontem encontrei a [P|Benedita] e o [P|Zé Luís Farinha] no mercado.
""",
    "pl": """
Szanowna Pani [P|Kowalczykowa],⏎informujemy, że wniosek został rozpatrzony. Z poważaniem⏎[P|Bożydar Ostrowski]⏎Dział Obsługi Klienta
Oskarżony [P|Zbigniew Maruszak], zamieszkały w [L|Radomiu], złożył apelację do [O|Sądu Najwyższego].
hej [P|Kinga], widziałaś [P|Bartka]? jutro jedziemy do [L|Gdyni]
Pacjentka [P|Wiesława Pietrzyk] skierowana przez doktora [P|Malinowskiego]. Mąż [P|Ryszard] czeka na korytarzu.
[P|Eustachy Nowosielski] – polski kompozytor, urodzony w [L|Łomży], zmarł w [L|Kanadzie].
Według [P|Ostrowskiego] spółka [O|Orlen] zamknie zakład w [L|Płocku].
Adres dostawy: [A|ul. Lipowa 8/12], [Z|15-427] [L|Białystok], odbiorca [P|Danuta Szulc]
imię;nazwisko;miasto⏎[P|Arkadiusz];[P|Gołębiewski];[L|Opole]⏎[P|Marzena];[P|Bąk];[L|Tychy]
Dzień dobry, Faktura i Zamówienie nie dotarły. Proszę o Zwrot pieniędzy na Konto.
Zarząd przyjął Uchwałę w sprawie Budżetu. Posiedzenie odbędzie się w Poniedziałek.
Napastnik [P|Sobiech] strzelił gola, a [O|Legia Warszawa] wygrała w [L|Krakowie].
Wczoraj rozmawiałem z [P|Agatą], mówiła, że [P|Tomasz Kurzawa] przeszedł na emeryturę.
""",
    "sv": """
Bästa [P|Ingegerd],⏎tack för ditt brev. Ärendet handläggs av [P|Torbjörn Wallenius].⏎Med vänlig hälsning⏎[P|Pernilla Ekstrand]⏎[O|Försäkringskassan]
Den tilltalade, [P|Kjell Rydberg], bosatt i [L|Borås], överklagade domen till [O|Svea hovrätt].
hej [P|Elsa], har du hört från [P|Viggo]? vi är i [L|Malmö] imorgon
Patienten [P|Gunhild Fors] remitterades av doktor [P|Hammarlund]. Dottern [P|Tove] är kontaktperson.
[P|Algot Sjöblad] var en svensk arkitekt, född i [L|Karlskrona]. Han dog i [L|Norge] 1967.
Enligt [P|Ekstrand] stänger [O|Ericsson] kontoret i [L|Linköping].
Leverans till [A|Kungsgatan 22 B], [Z|903 26] [L|Umeå], märk paketet med [P|Lisbet Forsman].
{"kund": "[P|Rolf Åkerlund]", "ort": "[L|Gävle]", "ärende": "Felaktig faktura"}
Din Beställning är skickad. Fakturan och Kvittot finns i Appen under Mina Sidor.
Styrelsen godkände Budgeten på Tisdagens Möte. Protokollet justeras av Ordföranden.
[P|Isak] gjorde två mål när [O|Hammarby] vann i [L|Sundsvall].
Igår träffade jag [P|Märit], hon sa att [P|Staffan Lejon] har flyttat till [L|Spanien].
""",
}

KEPT: Final[dict[str, str]] = {
    "de": """
Lieber Herr [P|Trautwein],⏎vielen Dank für das Gespräch. Meine Kollegin [P|Wiebke Hollmann] schickt Ihnen das Angebot.⏎Beste Grüße⏎[P|Ansgar Tiedemann]⏎Vertrieb
Die Beklagte, vertreten durch Rechtsanwalt Dr. [P|Eberhard Nissen], [L|Oldenburg], beantragt, die Klage abzuweisen.
moin [P|Hinnerk], [P|Frauke] ist krank, kannst du heute nach [L|Kiel] fahren?
Entlassungsbericht: Herr [P|Rottluff], 71 Jahre, Zustand nach Sturz. Die Tochter [P|Mechthild Pfeiffer] wurde informiert.
Nach Angaben von [P|Tiedemann] übernimmt die [O|Deutsche Bahn] die Strecke zwischen [L|Cottbus] und [L|Leipzig].
[P|Walburga Ehlers] war eine österreichische Physikerin. Sie lehrte in [L|Innsbruck] und emigrierte nach [L|Schweden].
{"absender": "[P|Rüdiger Kaltenbach]", "ziel": "[L|Ulm]", "status": "Zustellung nicht möglich, Empfänger verzogen"}
In der Nachspielzeit traf [P|Adeyemi] für [O|Werder Bremen]; in [L|Augsburg] blieb es ruhig.
Der Antrag, die Anlage und die Bescheinigung fehlen noch. Das Formular finden Sie auf unserer Internetseite.
Die Lieferung erfolgt am Mittwoch. Zahlung per Lastschrift, Vorkasse oder Nachnahme.
Mietvertrag: Vermieter [P|Gundolf Petersen], Mieterin [P|Leyla Sarikaya], Wohnung [A|Bismarckallee 77], [Z|48151] [L|Münster].
Gestern traf ich [P|Notburga] im Zug nach [L|Passau]; sie arbeitet jetzt bei [O|Bosch].
""",
    "fr": """
Cher Monsieur [P|Delaunay-Petit],⏎votre dossier a été transmis à ma collègue, [P|Solène Guivarch].⏎Bien à vous,⏎[P|Armand Vasseur]⏎Direction Régionale
L'appelante, Mme [P|Josiane Kerbrat], demeurant à [L|Lorient], a saisi le [O|Conseil d'État] le 4 mai.
salut [P|Noé], [P|Camille] est bloquée à [L|Nantes], tu peux aller la chercher ?
Compte rendu : Monsieur [P|Poulain], 63 ans, opéré par le Pr [P|Lavigne]. Suites simples, retour à domicile demain.
[P|Léopold Marchandeau], né à [L|Besançon], fut un ingénieur des ponts. Il mourut en [L|Belgique].
D'après [P|Vasseur], [O|Carrefour] fermera douze magasins près de [L|Lyon].
À livrer au [A|8 avenue du Général Leclerc], [Z|54000] [L|Nancy], chez [P|Huguette Rémond].
{"client": "[P|Rachid Amrani]", "agence": "[L|Perpignan]", "objet": "Carte perdue en vacances"}
Merci de patienter, votre Conseiller va vous répondre. Le Dossier sera traité sous huit jours.
Article 4 : le Locataire verse au Bailleur un Dépôt de garantie. Le Bail prend effet le premier Janvier.
Le milieu de terrain [P|Kamara] rejoint l'[O|Olympique Lyonnais], annonce [P|Philippe Estève] depuis [L|Monaco].
Hier, [P|Apolline] m'a présenté [P|Basile Courtois], le nouveau voisin.
""",
    "es": """
Querido [P|Leandro]:⏎te adjunto el informe que preparó [P|Maribel Goicoechea]. Un abrazo,⏎[P|Celestino]⏎Gerencia Comercial
La demandante, [P|Amparo Villarroel], domiciliada en [L|Rosario], reclama daños a [O|Iberia] por el retraso.
hola [P|Ainhoa], [P|Pau] dice que el tren de [L|Girona] llega tarde
Evolución: el señor [P|Larrañaga] permanece estable. Valorado por la Dra. [P|Quiroga]. Alta mañana.
[P|Plácido Monteagudo] fue un pintor peruano nacido en [L|Arequipa]; expuso en [L|Francia] y en [L|Italia].
El portavoz [P|Arrieta] confirmó que [O|Repsol] abrirá una planta en [L|Huelva].
Recoger en [A|Avenida de los Castaños 51], [Z|41013] [L|Sevilla], preguntar por [P|Jacinta Robledo].
apellido;nombre;localidad⏎[P|Etxeberria];[P|Unai];[L|Vitoria]⏎[P|Sanabria];[P|Paloma];[L|Mérida]
Su Pedido está en Reparto. El Repartidor llamará por Teléfono antes de la Entrega.
El Arrendatario pagará la Renta los cinco primeros días. La Fianza queda en Depósito.
[P|Mbarki] falló un penalti y el [O|Valencia] perdió en [L|Vigo].
El sábado vi a [P|Consuelo] con [P|Bernardo Iturbe] en la plaza.
""",
    "it": """
Caro [P|Fulvio],⏎la pratica è stata affidata alla collega [P|Serena Quaglia].⏎Un saluto⏎[P|Gaspare Montesi]⏎Ufficio Reclami
L'imputata [P|Rosanna Di Gennaro], nata ad [L|Avellino], è stata assolta dal [O|Tribunale di Salerno].
ehi [P|Giada], [P|Manuel] ha perso il treno per [L|Verona], puoi passare tu?
Dimissione: il signor [P|Castelnuovo], anni 68, è stato seguito dal dott. [P|Rinaldini]. La moglie [P|Ornella] è informata.
[P|Teresa Bertolotti] è stata una scultrice italiana, attiva a [L|Carrara] e in [L|Germania].
Per [P|Montesi], la fusione tra [O|Unicredit] e la banca di [L|Vicenza] è lontana.
Spedire a [P|Oreste Zamboni], [A|Corso Garibaldi 112], [Z|60121] [L|Ancona].
{"cliente": "[P|Fatima Belhaj]", "città": "[L|Brescia]", "nota": "Richiamare dopo le feste"}
Gentile Cliente, la Fattura è disponibile nell'Area Riservata. Il Pagamento scade Venerdì.
Il Conduttore versa il Canone al Locatore entro il giorno cinque. La Cauzione è restituita alla Scadenza.
[P|Lukaku] ha pareggiato e l'[O|Atalanta] resta prima dopo la gara di [L|Udine].
Stamattina ho incontrato [P|Fiorella] e [P|Amedeo Grasselli] al bar.
""",
    "nl": """
Beste [P|Reinier],⏎de aanvraag ligt bij mijn collega [P|Hanneke Tuinstra].⏎Met vriendelijke groet,⏎[P|Coen Vlasblom]⏎Team Verzekeringen
Eiseres, [P|Fenna Oudendijk], wonende te [L|Almere], vordert betaling van [O|KLM] wegens vertraging.
hee [P|Sanne], [P|Bas] staat nog in [L|Amersfoort], kun jij beginnen?
Ontslagbrief: de heer [P|Brouwers], 80 jaar, onder behandeling van dr. [P|Scholten]. Dochter [P|Ineke] belt morgen.
[P|Cornelis Plantinga], geboren in [L|Harlingen], was een Nederlands natuurkundige. Hij werkte in [L|Duitsland].
Directeur [P|Vlasblom] zegt dat [O|Heineken] de brouwerij in [L|Zoeterwoude] uitbreidt.
Afleveren bij [P|Thijs Wolters], [A|Prinsengracht 263], [Z|1016 GV] [L|Amsterdam].
achternaam;voornaam;woonplaats⏎[P|Bakkali];[P|Yousra];[L|Tilburg]⏎[P|Postma];[P|Jelle];[L|Assen]
Uw Aanvraag is in Behandeling. De Medewerker neemt Vrijdag contact met u op.
De Huurder betaalt de Waarborgsom aan de Verhuurder. De Overeenkomst eindigt op 1 Januari.
[P|Berghuis] miste een strafschop; [O|Ajax] speelde gelijk in [L|Heerenveen].
Vanochtend zag ik [P|Geertje] met [P|Floris Hendrikx] bij de bakker.
""",
    "pt": """
Caro [P|Anselmo],⏎o processo foi entregue à colega [P|Quitéria Leal].⏎Com os melhores cumprimentos,⏎[P|Norberto Falcão]⏎Gestão de Sinistros
A autora, [P|Ivone Capelo], moradora em [L|Niterói], pede indenização à [O|Azul Linhas Aéreas].
olá [P|Matilde], o [P|Rui] perdeu o comboio para [L|Aveiro], podes ir tu?
Alta hospitalar: o senhor [P|Damasceno], 59 anos, seguido pela Dra. [P|Valadares]. Filho [P|Caio] avisado.
[P|Ermelinda Prado] foi uma pintora brasileira, nascida em [L|Ouro Preto]. Morou na [L|Espanha] e na [L|Suíça].
O porta-voz [P|Falcão] disse que a [O|Embraer] abrirá uma fábrica em [L|Évora].
Recolher em [A|Avenida da Liberdade, 245], [Z|1250-143] [L|Lisboa]; falar com [P|Hermínia Rosado].
{"cliente": "[P|Edivaldo Sampaio]", "cidade": "[L|Fortaleza]", "motivo": "Cobrança em dobro"}
Prezado Cliente, o seu Cartão foi bloqueado. Ligue para a Central ou visite a Agência.
O Inquilino paga a Renda ao Senhorio até ao dia oito. A Caução é devolvida no Fim do Contrato.
[P|Taremi] empatou e o [O|Sporting] continua líder depois do jogo em [L|Guimarães].
Hoje vi a [P|Deolinda] com o [P|Gaspar Monteiro] na praia.
""",
    "pl": """
Drogi [P|Leszku],⏎sprawę przejęła koleżanka [P|Iwona Dobrzańska].⏎Pozdrawiam serdecznie⏎[P|Seweryn Kalinowski]⏎Biuro Reklamacji
Powódka [P|Stefania Walczuk], zamieszkała w [L|Zamościu], domaga się odszkodowania od [O|PZU].
cześć [P|Ola], [P|Kuba] utknął w [L|Katowicach], możesz zacząć beze mnie?
Wypis: pan [P|Jabłoński], lat 66, pod opieką dr [P|Cieślak]. Córka [P|Justyna] poinformowana.
[P|Apolonia Rzewuska] była polską rzeźbiarką, urodzoną w [L|Tarnowie]. Mieszkała w [L|Brazylii].
Rzecznik [P|Kalinowski] powiedział, że [O|Allegro] otworzy magazyn w [L|Rzeszowie].
Odbiorca: [P|Mirosław Gajda], [A|al. Niepodległości 132], [Z|02-554] [L|Warszawa]
{"klient": "[P|Zofia Kruszewska]", "miasto": "[L|Elbląg]", "uwagi": "Prosi o kontakt po południu"}
Szanowny Kliencie, Paczka czeka w Punkcie odbioru. Kod i Termin wysłaliśmy w Wiadomości.
Najemca płaci Czynsz do dziesiątego dnia Miesiąca. Kaucja podlega zwrotowi po Umowie.
[P|Piątek] wyrównał, a [O|Lech Poznań] zremisował w [L|Gdańsku].
Dziś widziałem [P|Halinę] i [P|Kazimierza Wrzoska] w sklepie.
""",
    "sv": """
Hej [P|Rickard],⏎din anmälan ligger hos min kollega [P|Susanna Hedin].⏎Vänliga hälsningar⏎[P|Valter Palmgren]⏎Kundtjänst
Käranden, [P|Barbro Stenmark], boende i [L|Skövde], kräver ersättning av [O|SJ] för förseningen.
tja [P|Moa], [P|Anton] är kvar i [L|Uppsala], kan du öppna?
Utskrivning: herr [P|Lagercrantz], 74 år, ansvarig läkare [P|Björkman]. Hustrun [P|Siv] är informerad.
[P|Hjördis Tegnell] var en svensk konstnär, verksam i [L|Visby] och i [L|Frankrike].
Vd [P|Palmgren] säger att [O|Volvo] bygger en fabrik i [L|Skellefteå].
Levereras till [P|Assar Nordin], [A|Storgatan 41], [Z|852 30] [L|Sundsvall].
efternamn;förnamn;ort⏎[P|Haidari];[P|Zahra];[L|Södertälje]⏎[P|Kvist];[P|Melker];[L|Lund]
Din Ansökan behandlas av Avdelningen för Bygglov. Beslutet kommer på Fredag.
Hyresgästen betalar Hyran till Hyresvärden i förskott. Avtalet gäller från Januari.
[P|Gyökeres] kvitterade och [O|Malmö FF] leder efter matchen i [L|Halmstad].
I morse såg jag [P|Gerda] och [P|Ivar Stålhammar] på torget.
""",
}

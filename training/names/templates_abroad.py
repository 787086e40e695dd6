"""Texts with slots in eight languages of Europe, for the second set of weights (``--abroad``). Written here without looking at those of
any data set, and apart from ``benchmarks/labelled`` (a test compares runs of words). Slots are those of ``templates.py``; ``{house}`` is
an organization as the language calls it, ``{lastgen}`` and its kin are inflected (Polish).
"""

from __future__ import annotations

GERMAN = r"""
Guten Tag Herr {last},\nIhre Anfrage haben wir an Frau {last} weitergeleitet.\nHerzliche Grüße aus {city}\n{person}\n{house}
Liebe {first}, danke für die Einladung! {first} und ich kommen am Samstag mit dem Zug aus {city}.
Der Angeklagte {person}, geboren am {date} in {city}, wird freigesprochen; die Kosten trägt die Staatskasse.
Das {house} hat die Berufung von {person} gegen das Urteil zurückgewiesen.
Zeugin {last} gab an, der Fahrer sei in Richtung {city} geflohen.
{person} (* {date} in {city}; † {date} in {city}) war ein Schriftsteller und Übersetzer.
{last} wuchs in {city} auf, promovierte an der {house} und arbeitete danach in {country}.
Bei {house} streiken die Beschäftigten in {city} und {city} für höhere Löhne, sagte Sprecherin {person}.
Trainer {last} wechselte nach der Pause {last} ein, doch {house} verlor gegen {house} mit null zu zwei.
Nach der Niederlage in {city} kritisierte Kapitän {person} den Schiedsrichter.
Die Regierung in {city} lehnt den Vorschlag ab, wie Minister {last} am Dienstag erklärte.
Frau {last}, 45, stellt sich mit Rückenschmerzen vor. Hausarzt: {person}, {city}. Vormedikation keine.
Anamnese: Patient {last} berichtet über Schwindel, die Ehefrau {first} bestätigt das. Blutdruck stabil, Lunge frei.
hi {first} bist du noch bei {first}? hab den Schlüssel vergessen
sag {first} bitte, dass der Termin bei {house} ausfällt
Ich bin {person} aus {city}, meine Bestellung vom {date} fehlt immer noch.
Mein Nachbar {last} hat das Paket angenommen, er wohnt {street}.
Lieferadresse: {person}, {street}, {zip} {city}. Klingel defekt, bitte anrufen.
Auftraggeber: {house}, {street}, {zip} {city}; Ansprechpartner {person}.
name;ort;betrag\n{person};{city};{num}\n{person};{city};{num}
{{"kunde": "{person}", "stadt": "{city}", "grund": "Lieferung beschädigt", "status": "offen"}}
Vermerk: Telefonat mit {person} ({house}) wegen der Kündigung. Wiedervorlage Montag.
Zwischen {person} und der {house} wird folgender Arbeitsvertrag geschlossen.
Gestern hat {first} angerufen, morgen fährt {first} mit {last} nach {city}.
Am Wochenende wurde im Norden von {country} ein Erdbeben gemessen, in {city} fiel der Strom aus.
Von {city} über {city} nach {city} dauert die Fahrt drei Stunden.
Der Bürgermeister von {city}, {person}, eröffnet die Ausstellung im Rathaus.
Laut Bericht der {house} steigen die Mieten in {city} weiter. Experte {last} warnt vor Leerstand.
Seit {date} leitet {person} die Abteilung, vorher war sie bei {house} in {country}.
Rechnung, Gutschrift, Angebot und Auftrag finden Sie im Anhang dieser Nachricht.
Die Buchung wurde storniert. Erstattung, Gebühren und Zinsen werden auf Ihr Konto überwiesen.
Das Passwort, die Kundennummer und der Name der Datei stehen im Protokoll. Bitte Fenster schließen.
Bei Verlust, Diebstahl oder Beschädigung haftet der Mieter. Die Haftung des Vermieters ist ausgeschlossen.
Montag Sitzung, Dienstag Schulung, Mittwoch Inventur, Donnerstag Werkstatt, Freitag Feierabend.
Schlüssel, Brille und Geldbörse wurden im Fundbüro abgegeben. Finder möchte keine Belohnung.
Befund: Leber, Milz und Nieren unauffällig. Therapie mit Tabletten, Kontrolle im Herbst.
Kühlschrank, Herd und Spülmaschine gehören zur Wohnung, der Stellplatz im Hof nicht.
Der Wetterbericht meldet Regen, Wind und am Abend Gewitter. Im Süden bleibt die Sonne.
""".strip().splitlines()

FRENCH = r"""
Bonjour Monsieur {last},\nvotre demande a bien été reçue par Madame {last}.\nBien cordialement,\n{person}\n{house}
Chère {first}, merci pour ta carte ! {first} et {first} arrivent dimanche de {city}.
Le prévenu {person}, né le {date} à {city}, a été relaxé par le {house}.
La {house} a condamné {person} à verser une amende ; son avocat, Me {last}, fera appel.
{person}, né à {city} le {date} et mort à {city}, est un peintre et graveur.
{last} étudie à {city}, enseigne à l'{house}, puis s'installe en {country}.
Les salariés de {house} sont en grève à {city}, a indiqué {person}, délégué syndical.
L'entraîneur {last} a remplacé {last} à la pause, mais {house} s'est incliné contre {house}.
Le ministre {last} se rendra à {city} puis à {city} la semaine prochaine.
Motif : Mme {last}, 45 ans, consulte pour vertiges. Médecin traitant : Dr {last}, {city}. Pas d'allergie connue.
L'infirmière {first} a prévenu la fille du patient, {person}.
slt {first} t'es où ? {first} t'attend devant la gare
dis à {first} que le rendez-vous chez {house} est annulé
Je suis {person}, j'habite à {city} et ma commande du {date} n'est jamais arrivée.
Mon voisin {last} a reçu le colis, il habite {street}.
Adresse de livraison : {person}, {street}, {zip} {city}. Sonner deux fois.
Entreprise : {house}, {street}, {zip} {city}. Contact : {person}.
nom,ville,montant\n{person},{city},{num}\n{person},{city},{num}
{{"titulaire": "{person}", "ville": "{city}", "raison": "Colis abîmé", "statut": "en cours"}}
Note : appel de {person} ({house}) au sujet de la facture impayée. À rappeler lundi.
Entre {person} et la société {house}, il a été convenu ce qui suit.
Hier {first} a téléphoné ; demain, {first} ira à {city} avec {last}.
Un séisme a été ressenti au nord de {country}, et la ville de {city} est privée d'électricité.
De {city} à {city} en passant par {city}, le trajet dure trois heures.
Le maire de {city}, {person}, inaugure l'exposition.
Selon un rapport de {house}, les loyers augmentent à {city}. D'après {last}, la hausse va durer.
Depuis {date}, {person} dirige le service ; elle travaillait auparavant chez {house}.
Avez-vous vu {first} ? J'ai rendez-vous avec {person} à midi.
Facture, devis, avoir et bon de commande sont joints à ce message. Merci de votre confiance.
Veuillez réinitialiser votre mot de passe. Votre compte sera bloqué après trois essais.
Le Prestataire remet les Livrables au Client ; le Client règle le Prix à réception.
Lundi réunion, mardi formation, mercredi inventaire, jeudi atelier, vendredi congé.
Les Conditions Particulières prévalent sur les Annexes. Les Parties élisent domicile au Siège.
Examen : foie, rate et reins normaux. Traitement par comprimés, contrôle à l'automne.
Le réfrigérateur, la cuisinière et le balcon font partie du logement. Parking en option.
Livraison gratuite, paiement sécurisé, retour sous trente jours. Voir nos Tarifs et Promotions.
J'ai perdu mes clés, mes lunettes et mon portefeuille. L'accueil n'a rien trouvé.
""".strip().splitlines()

SPANISH = r"""
Buenas tardes, señor {last}:\nhemos pasado su consulta a la señora {last}.\nSaludos cordiales,\n{person}\n{house}
Querida {first}, gracias por tu carta. {first} y {first} llegan el domingo desde {city}.
El procesado {person}, nacido en {city} el {date}, queda absuelto por la {house}.
El {house} desestimó el recurso de {person}; su abogada, {last}, lo recurrirá.
{person} ({city}, {date} - {city}, {date}) fue un músico y compositor.
{last} creció en {city}, se doctoró en la {house} y trabajó después en {country}.
Los trabajadores de {house} en {city} van a la huelga, según el portavoz {person}.
El técnico {last} sustituyó a {last} en el descanso, pero {house} cayó ante {house}.
El ministro {last} viajará a {city} y a {city} la próxima semana.
Motivo: mujer de 45 años, {last}, con mareos. Médico de cabecera: Dra. {last}, {city}. Sin alergias.
La enfermera {first} avisó al hijo del paciente, {person}.
ey {first} dónde estás? {first} te espera en la puerta
dile a {first} que la cita en {house} se cancela
Soy {person}, vivo en {city} y mi pedido del {date} nunca llegó.
Mi vecino {last} recogió el paquete, vive en {street}.
Dirección de entrega: {person}, {street}, {zip} {city}. Llamar al timbre.
Empresa: {house}, {street}, {zip} {city}. Contacto: {person}.
nombre,ciudad,importe\n{person},{city},{num}\n{person},{city},{num}
{{"titular": "{person}", "ciudad": "{city}", "causa": "Paquete roto", "estado": "abierto"}}
Nota: llamada de {person} ({house}) por la factura pendiente. Volver a llamar el lunes.
Entre {person} y la sociedad {house} se acuerda lo siguiente.
Ayer llamó {first}; mañana {first} irá a {city} con {last}.
Un terremoto sacudió el norte de {country} y la ciudad de {city} quedó sin luz.
De {city} a {city} pasando por {city} el viaje dura tres horas.
La alcaldesa de {city}, {person}, inaugura la exposición.
Según un informe de {house}, los alquileres suben en {city}. Para {last} la subida seguirá.
Desde {date} dirige el área {person}, que antes estuvo en {house}.
¿Has visto a {first}? Tengo cita con {person} a mediodía.
Factura, presupuesto, abono y pedido se adjuntan a este mensaje. Gracias por su confianza.
Restablezca su contraseña. La cuenta se bloqueará después de tres intentos.
El Prestador entregará los Trabajos al Cliente; el Cliente abonará el Precio en el Plazo indicado.
Lunes reunión, martes curso, miércoles inventario, jueves taller, viernes libre.
Las Condiciones Particulares prevalecen sobre los Anexos. Las Partes fijan su Domicilio.
Exploración: hígado, bazo y riñones normales. Tratamiento con pastillas, control en otoño.
La nevera, la cocina y el balcón son parte de la vivienda. Garaje opcional.
Envío gratis, pago seguro, devolución en treinta días. Consulte nuestras Ofertas.
Perdí las llaves, las gafas y la cartera. En Recepción no saben nada.
""".strip().splitlines()

ITALIAN = r"""
Buonasera signor {last},\nla sua richiesta è passata alla signora {last}.\nUn cordiale saluto,\n{person}\n{house}
Cara {first}, grazie della lettera! {first} e {first} arrivano domenica da {city}.
L'indagato {person}, nato a {city} il {date}, è stato prosciolto dal {house}.
La {house} ha respinto il ricorso di {person}; l'avvocato {last} farà appello.
{person} ({city}, {date} – {city}, {date}) è stato un pittore e incisore.
{last} crebbe a {city}, si laureò all'{house} e lavorò poi in {country}.
I lavoratori della {house} di {city} sono in sciopero, dice il portavoce {person}.
Il tecnico {last} ha sostituito {last} nell'intervallo, ma il {house} ha perso con il {house}.
Il ministro {last} sarà a {city} e a {city} la settimana prossima.
Motivo: donna di 45 anni, sig.ra {last}, con vertigini. Medico curante: dott.ssa {last}, {city}. Nessuna allergia.
L'infermiera {first} ha avvisato la figlia del paziente, {person}.
ehi {first} dove sei? {first} ti aspetta davanti alla stazione
di' a {first} che l'appuntamento alla {house} è saltato
Sono {person}, abito a {city} e il mio ordine del {date} non è mai arrivato.
Il mio vicino {last} ha ritirato il pacco, sta in {street}.
Indirizzo di consegna: {person}, {street}, {zip} {city}. Suonare due volte.
Azienda: {house}, {street}, {zip} {city}. Referente: {person}.
nome,città,importo\n{person},{city},{num}\n{person},{city},{num}
{{"intestatario": "{person}", "città": "{city}", "causa": "Pacco rotto", "stato": "aperto"}}
Nota: chiamata di {person} ({house}) per la fattura scaduta. Richiamare lunedì.
Tra {person} e la società {house} si conviene quanto segue.
Ieri ha chiamato {first}; domani {first} va a {city} con {last}.
Un terremoto ha colpito il nord di {country} e la città di {city} è senza corrente.
Da {city} a {city} passando per {city} il viaggio dura tre ore.
La sindaca di {city}, {person}, inaugura la mostra.
Secondo un rapporto di {house}, gli affitti crescono a {city}. Per {last} l'aumento continuerà.
Dal {date} dirige l'ufficio {person}, che prima era in {house}.
Hai visto {first}? Ho appuntamento con {person} a mezzogiorno.
Fattura, preventivo, nota di credito e ordine sono allegati a questo messaggio. Grazie della fiducia.
Reimposti la password. Il conto sarà bloccato dopo tre tentativi.
Il Fornitore consegna i Lavori al Committente; il Committente paga il Prezzo alla Consegna.
Lunedì riunione, martedì corso, mercoledì inventario, giovedì officina, venerdì libero.
Le Condizioni Particolari prevalgono sugli Allegati. Le Parti eleggono Domicilio presso la Sede.
Esame: fegato, milza e reni nella norma. Terapia con compresse, controllo in autunno.
Il frigorifero, la cucina e il balcone fanno parte dell'alloggio. Garage a richiesta.
Spedizione gratuita, pagamento sicuro, reso entro trenta giorni. Veda le nostre Offerte.
Ho perso le chiavi, gli occhiali e il portafoglio. In Portineria non sanno niente.
""".strip().splitlines()

DUTCH = r"""
Goedemiddag meneer {last},\nuw vraag is doorgestuurd naar mevrouw {last}.\nHartelijke groet uit {city},\n{person}\n{house}
Lieve {first}, dank voor je brief! {first} en {first} komen zondag uit {city}.
Verdachte {person}, geboren op {date} te {city}, wordt vrijgesproken door de {house}.
De {house} wees het beroep van {person} af; advocaat {last} gaat in cassatie.
{person} ({city}, {date} – {city}, {date}) was een schrijver en vertaler.
{last} groeide op in {city}, promoveerde aan de {house} en werkte daarna in {country}.
Het personeel van {house} in {city} staakt, zegt woordvoerder {person}.
Trainer {last} verving {last} in de rust, maar {house} verloor van {house}.
Minister {last} reist volgende week naar {city} en naar {city}.
Reden: mevrouw {last}, 45 jaar, heeft last van duizeligheid. Huisarts: dr. {last}, {city}. Geen allergie bekend.
Verpleegkundige {first} belde de zoon van de patiënt, {person}.
hee {first} waar ben je? {first} wacht bij het station
zeg tegen {first} dat de afspraak bij {house} niet doorgaat
Ik ben {person}, ik woon in {city} en mijn bestelling van {date} kwam nooit aan.
Mijn buurman {last} heeft het pakje aangenomen, hij woont {street}.
Afleveradres: {person}, {street}, {zip} {city}. Twee keer bellen.
Bedrijf: {house}, {street}, {zip} {city}. Contactpersoon: {person}.
naam,plaats,bedrag\n{person},{city},{num}\n{person},{city},{num}
{{"houder": "{person}", "woonplaats": "{city}", "reden": "Pakket kapot", "status": "open"}}
Notitie: telefoontje van {person} ({house}) over de open factuur. Maandag terugbellen.
Tussen {person} en {house} is het volgende overeengekomen.
Gisteren belde {first}; morgen gaat {first} met {last} naar {city}.
Een aardbeving trof het noorden van {country} en in {city} viel de stroom uit.
Van {city} via {city} naar {city} duurt de reis drie uur.
De burgemeester van {city}, {person}, opent de tentoonstelling.
Volgens een rapport van {house} stijgen de huren in {city}. Volgens {last} blijft dat zo.
Sinds {date} leidt {person} de afdeling, daarvoor werkte zij bij {house}.
Heb je {first} gezien? Ik heb een afspraak met {person} om twaalf uur.
Factuur, offerte, creditnota en bestelling vindt u in de bijlage. Dank voor uw vertrouwen.
Stel uw wachtwoord opnieuw in. De rekening wordt na drie pogingen geblokkeerd.
De Opdrachtnemer levert het Werk aan de Opdrachtgever; de Opdrachtgever betaalt de Prijs.
Maandag overleg, dinsdag cursus, woensdag voorraad, donderdag werkplaats, vrijdag vrij.
De Bijzondere Voorwaarden gaan boven de Bijlagen. Partijen kiezen Woonplaats ten kantore.
Onderzoek: lever, milt en nieren normaal. Behandeling met tabletten, controle in de herfst.
De koelkast, het fornuis en het balkon horen bij de woning. Parkeerplaats op aanvraag.
Gratis verzending, veilig betalen, dertig dagen retour. Bekijk onze Aanbiedingen.
Ik ben mijn sleutels, bril en portemonnee kwijt. De Receptie weet van niets.
""".strip().splitlines()

PORTUGUESE = r"""
Boa tarde, senhor {last},\na sua questão foi enviada à senhora {last}.\nUm abraço de {city},\n{person}\n{house}
Querida {first}, obrigado pela carta! O {first} e a {first} chegam domingo de {city}.
O arguido {person}, nascido em {city} a {date}, foi absolvido pelo {house}.
O {house} negou o pedido de {person}; o advogado {last} vai recorrer.
{person} ({city}, {date} – {city}, {date}) foi um músico e compositor.
{last} cresceu em {city}, formou-se na {house} e trabalhou depois em {country}.
Os trabalhadores da {house} em {city} estão em greve, diz o porta-voz {person}.
O treinador {last} trocou {last} no intervalo, mas o {house} perdeu com o {house}.
O ministro {last} viaja para {city} e para {city} na próxima semana.
Motivo: senhora {last}, 45 anos, com tonturas. Médica de família: Dra. {last}, {city}. Sem alergias.
A enfermeira {first} avisou o filho do doente, {person}.
oi {first} cadê você? a {first} está te esperando na porta
diz à {first} que a consulta na {house} foi cancelada
Sou {person}, moro em {city} e o meu pedido de {date} nunca chegou.
O meu vizinho {last} recebeu o pacote, ele mora na {street}.
Endereço de entrega: {person}, {street}, {zip} {city}. Tocar duas vezes.
Empresa: {house}, {street}, {zip} {city}. Contato: {person}.
nome,cidade,valor\n{person},{city},{num}\n{person},{city},{num}
{{"titular": "{person}", "cidade": "{city}", "razão": "Pacote danificado", "estado": "aberto"}}
Nota: chamada de {person} ({house}) sobre a fatura vencida. Ligar de novo na segunda-feira.
Entre {person} e a sociedade {house} fica acordado o seguinte.
Ontem ligou o {first}; amanhã a {first} vai a {city} com o {last}.
Um sismo atingiu o norte de {country} e a cidade de {city} ficou sem luz.
De {city} a {city} passando por {city}, a viagem dura três horas.
A prefeita de {city}, {person}, abre a exposição.
Segundo um relatório da {house}, as rendas sobem em {city}. Para {last}, vai continuar.
Desde {date} quem dirige o setor é {person}, que antes estava na {house}.
Você viu a {first}? Tenho consulta com {person} ao meio-dia.
Fatura, orçamento, nota de crédito e encomenda seguem em anexo. Obrigado pela confiança.
Redefina a sua senha. A conta será bloqueada depois de três tentativas.
O Contratado entrega os Serviços ao Contratante; o Contratante paga o Preço no Prazo.
Segunda reunião, terça curso, quarta inventário, quinta oficina, sexta folga.
As Condições Particulares prevalecem sobre os Anexos. As Partes elegem o Foro da Comarca.
Exame: fígado, baço e rins normais. Tratamento com comprimidos, controle no outono.
A geladeira, o fogão e a varanda fazem parte do imóvel. Garagem opcional.
Frete grátis, pagamento seguro, troca em trinta dias. Veja as nossas Ofertas.
Perdi as chaves, os óculos e a carteira. Na Portaria ninguém sabe de nada.
""".strip().splitlines()

POLISH = r"""
Dzień dobry Panie {first},\nPana pytanie przekazaliśmy Pani {lastgen}.\nSerdeczne pozdrowienia\n{person}\n{house}
Droga {first}, dziękuję za list! {first} i {first} przyjeżdżają w niedzielę z {citygen}.
Podejrzany {person}, urodzony {date} w {cityloc}, został uniewinniony przez {house}.
{house} oddalił skargę {persongen}; adwokat {last} zapowiada kasację.
{person} (ur. {date} w {cityloc}, zm. {date} w {cityloc}) – polski pisarz i tłumacz.
{last} dorastał w {cityloc}, studiował na {house}, potem pracował w {cityloc}.
Pracownicy {house} w {cityloc} strajkują, mówi rzecznik {person}.
Trener {last} zmienił w przerwie {lastgen}, ale {house} przegrała z {house}.
Minister {last} pojedzie w przyszłym tygodniu do {citygen} i do {citygen}.
Powód wizyty: pani {last}, 45 lat, zawroty głowy. Lekarz rodzinny: dr {last}, {city}. Bez alergii.
Pielęgniarka {first} zawiadomiła syna pacjenta, {persongen}.
hej {first} gdzie jesteś? {first} czeka pod dworcem
powiedz {firstgen}, że wizyta w {house} odwołana
Jestem {person}, mieszkam w {cityloc}, a moje zamówienie z {date} nie dotarło.
Sąsiad {last} odebrał paczkę, mieszka przy {street}.
Adres do wysyłki: {person}, {street}, {zip} {city}. Dzwonić dwa razy.
Firma: {house}, {street}, {zip} {city}. Osoba do kontaktu: {person}.
osoba,miejscowość,kwota\n{person},{city},{num}\n{person},{city},{num}
{{"osoba": "{person}", "miejscowość": "{city}", "powód": "Paczka uszkodzona", "stan": "otwarte"}}
Notatka: telefon od {persongen} ({house}) w sprawie zaległej faktury. Oddzwonić w poniedziałek.
Pomiędzy {persongen} a spółką {house} zawarto umowę.
Wczoraj dzwonił {first}; jutro {first} jedzie z {lastgen} do {citygen}.
Trzęsienie ziemi na północy, a w {cityloc} nie ma prądu.
Z {citygen} do {citygen} przez {city} jedzie się trzy godziny.
Burmistrz {citygen}, {person}, otwiera wystawę.
Według raportu {house} czynsze w {cityloc} rosną. Zdaniem {lastgen} tak zostanie.
Od {date} działem kieruje {person}, wcześniej w {house}.
Widziałeś {firstgen}? Mam spotkanie z {persongen} w południe.
Spotkałam {persongen} i {firstgen} w kinie.
Faktura, oferta, korekta i zamówienie są w załączniku. Dziękujemy za zaufanie.
Proszę zmienić hasło. Konto zostanie zablokowane po trzech próbach.
Wykonawca przekaże Dzieło Zamawiającemu; Zamawiający zapłaci Cenę w Terminie.
Poniedziałek zebranie, wtorek kurs, środa inwentura, czwartek warsztat, piątek wolne.
Warunki Szczególne są ważniejsze niż Załączniki. Strony wybierają Sąd właściwy.
Badanie: wątroba, śledziona i nerki w normie. Leczenie tabletkami, kontrola jesienią.
Lodówka, kuchenka i balkon należą do mieszkania. Garaż na życzenie.
Darmowa dostawa, bezpieczna płatność, zwrot w trzydzieści dni. Zobacz nasze Promocje.
Zgubiłem klucze, okulary i portfel. Na Recepcji nic nie wiedzą.
""".strip().splitlines()

SWEDISH = r"""
God dag herr {last},\ner fråga har gått vidare till fru {last}.\nMånga hälsningar från {city}\n{person}\n{house}
Kära {first}, tack för brevet! {first} och {first} kommer på söndag från {city}.
Den åtalade {person}, född {date} i {city}, frias av {house}.
{house} avslog överklagandet från {person}; advokat {last} går vidare.
{person}, född {date} i {city}, död {date} i {city}, var en författare och översättare.
{last} växte upp i {city}, doktorerade vid {house} och arbetade sedan i {country}.
Personalen på {house} i {city} strejkar, säger talesmannen {person}.
Tränaren {last} bytte ut {last} i pausen, men {house} förlorade mot {house}.
Minister {last} reser nästa vecka till {city} och till {city}.
Orsak: fru {last}, 45 år, söker för yrsel. Husläkare: {person}, {city}. Ingen känd allergi.
Sjuksköterskan {first} ringde sonen till patienten, {person}.
tjena {first} var är du? {first} väntar vid stationen
säg till {first} att tiden hos {house} är avbokad
Jag är {person}, bor i {city} och min beställning från {date} kom aldrig fram.
Min granne {last} tog emot paketet, han bor på {street}.
Leveransadress: {person}, {street}, {zip} {city}. Ring två gånger.
Företag: {house}, {street}, {zip} {city}. Kontakt: {person}.
namn,ort,belopp\n{person},{city},{num}\n{person},{city},{num}
{{"innehavare": "{person}", "stad": "{city}", "orsak": "Trasigt paket", "läge": "öppet"}}
Anteckning: samtal från {person} ({house}) om den obetalda fakturan. Ring upp på måndag.
Mellan {person} och {house} har följande avtalats.
I går ringde {first}; i morgon åker {first} med {last} till {city}.
Ett jordskalv drabbade norra {country} och i {city} gick strömmen.
Från {city} via {city} till {city} tar resan tre timmar.
Borgmästaren i {city}, {person}, öppnar utställningen.
Enligt en rapport från {house} stiger hyrorna i {city}. Enligt {last} fortsätter det.
Sedan {date} leder {person} avdelningen, tidigare var hon på {house}.
Har du sett {first}? Jag har möte med {person} klockan tolv.
Faktura, offert, kreditnota och order bifogas. Tack för förtroendet.
Återställ ditt lösenord. Kontot spärras efter tre försök.
Leverantören överlämnar Arbetet till Beställaren; Beställaren betalar Priset.
Måndag möte, tisdag kurs, onsdag inventering, torsdag verkstad, fredag ledigt.
De Särskilda Villkoren gäller före Bilagorna. Parterna väljer Domstol.
Undersökning: lever, mjälte och njurar normala. Behandling med tabletter, kontroll i höst.
Kylskåpet, spisen och balkongen ingår i bostaden. Garage mot avgift.
Fri frakt, säker betalning, trettio dagars retur. Se våra Erbjudanden.
Jag har tappat nycklar, glasögon och plånbok. Receptionen vet ingenting.
""".strip().splitlines()

LANGUAGES = {
    "de": GERMAN, "fr": FRENCH, "es": SPANISH, "it": ITALIAN, "nl": DUTCH, "pt": PORTUGUESE, "pl": POLISH, "sv": SWEDISH,
}  # fmt: skip

HOUSES = {
    "de": "{org}|Universität {city}|Stadtwerke {city}|Amtsgericht {city}|Landgericht {city}|Stadt {city}|Sparkasse {city}|FC {city}|SV {city}|"
          "Klinikum {city}|{last} GmbH|{last} AG|{last} & Söhne|Bundesagentur für Arbeit|Deutsche {last}|Eintracht {city}|Gymnasium {city}|{last}",
    "fr": "{org}|Université de {city}|Mairie de {city}|Tribunal de {city}|Cour d'appel de {city}|Crédit {last}|Banque de {city}|FC {city}|AS {city}|"
          "Stade {city}|Hôpital {last}|{last} SA|{last} SARL|Groupe {last}|Assurances {last}|Lycée {last}|{last}|Ministère de la Justice",
    "es": "{org}|Universidad de {city}|Ayuntamiento de {city}|Juzgado de {city}|Audiencia Provincial de {city}|Banco {last}|Banco de {city}|Real {city}|"
          "Atlético {city}|Deportivo {city}|Hospital {last}|{last} S.A.|{last} S.L.|Grupo {last}|Seguros {last}|Instituto {last}|{last}|Ministerio de Sanidad",
    "it": "{org}|Università di {city}|Comune di {city}|Tribunale di {city}|Corte di Cassazione|Banca {last}|Banca di {city}|AC {city}|Real {city}|Inter {city}|"
          "Ospedale {last}|{last} S.p.A.|{last} S.r.l.|Gruppo {last}|Assicurazioni {last}|Liceo {last}|{last}|Ministero della Salute",
    "nl": "{org}|Universiteit {city}|Gemeente {city}|Rechtbank {city}|Gerechtshof {city}|{last} Bank|Bank van {city}|FC {city}|Sparta {city}|SC {city}|"
          "Ziekenhuis {city}|{last} B.V.|{last} N.V.|{last} Groep|{last} Verzekeringen|{last} College|{last}|Hoge Raad",
    "pt": "{org}|Universidade de {city}|Prefeitura de {city}|Câmara Municipal de {city}|Tribunal de {city}|Banco {last}|Banco de {city}|Sporting {city}|"
          "Atlético {city}|Hospital {last}|{last} S.A.|{last} Lda.|Grupo {last}|Seguros {last}|Colégio {last}|{last}|Ministério da Saúde",
    "pl": "{org}|Uniwersytet {city}|Urząd Miasta {city}|Sąd Rejonowy w {cityloc}|Sąd Okręgowy w {cityloc}|Bank {last}|Polonia {city}|Górnik {city}|"
          "Zagłębie {city}|Szpital {last}|{last} S.A.|{last} Sp. z o.o.|Grupa {last}|Politechnika {city}|{last}|Ministerstwo Zdrowia|Wisła {city}",
    "sv": "{org}|{city} universitet|{city} kommun|{city} tingsrätt|Hovrätten i {city}|{last}banken|IFK {city}|{city} FF|{city} BK|Region {city}|"
          "{city} sjukhus|{last} AB|{last}gruppen|{last} & Söner|{last}|Skatteverket|Polisen|Arbetsförmedlingen|Högsta domstolen",
}  # fmt: skip
"""Forms of ``{house}``."""
COUNTRIES = {
    "de": "Frankreich|Italien|Spanien|Schweden|Norwegen|Dänemark|Polen|Ungarn|Österreich|Schweiz|Belgien|Niederlande|Griechenland|Türkei|Russland|Brasilien|Ägypten|Kanada",
    "fr": "Allemagne|Italie|Espagne|Suède|Norvège|Danemark|Pologne|Hongrie|Autriche|Suisse|Pays-Bas|Grèce|Turquie|Russie|Brésil|Égypte|Algérie|Tunisie",
    "es": "Alemania|Francia|Suecia|Noruega|Dinamarca|Polonia|Hungría|Austria|Suiza|Bélgica|Grecia|Turquía|Rusia|Brasil|Egipto|Perú|Colombia|Marruecos",
    "it": "Francia|Spagna|Svezia|Norvegia|Danimarca|Polonia|Ungheria|Austria|Svizzera|Belgio|Grecia|Turchia|Russia|Brasile|Egitto|Croazia|Albania|Libia",
    "nl": "Frankrijk|Italië|Spanje|Zweden|Noorwegen|Denemarken|Polen|Hongarije|Oostenrijk|België|Griekenland|Turkije|Rusland|Brazilië|Egypte|Marokko|Suriname",
    "pt": "Alemanha|França|Itália|Suécia|Noruega|Dinamarca|Polónia|Hungria|Áustria|Bélgica|Grécia|Turquia|Rússia|Brasil|Egito|Angola|Cabo Verde|Argentina",
    "pl": "Niemczech|Francji|Włoszech|Hiszpanii|Szwecji|Norwegii|Danii|Austrii|Szwajcarii|Belgii|Grecji|Turcji|Rosji|Egipcie|Czechach|Anglii|Litwie",
    "sv": "Tyskland|Italien|Polen|Danmark|Finland|Island|Ungern|Österrike|Schweiz|Belgien|Grekland|Turkiet|Ryssland|Brasilien|Egypten|Estland|Lettland",
}  # fmt: skip
"""Countries as the language calls them."""
MONTHS = {
    "de": "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
    "fr": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
    "es": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre",
    "it": "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre",
    "nl": "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december",
    "pt": "janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro",
    "pl": "stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia",
    "sv": "januari|februari|mars|april|maj|juni|juli|augusti|september|oktober|november|december",
}  # fmt: skip

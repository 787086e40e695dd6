"""Texts with slots, written for this set alone: none shares a run of six words with the training templates of
``training/names`` (a test compares). A slot is a key of ``formats.FORMATS`` (labelled) or ``formats.PLAIN`` (not), or
``person``, ``given``, ``surname``, ``listed`` (all PERSON), ``street`` (ADDRESS), ``postcode``, ``town`` (LOCATION) and
``firm`` (ORG). ``kind language | text``; ``\\n`` is a new line. Kinds that begin with ``no-`` hold nothing to find.
"""

from __future__ import annotations

from typing import Final

TEMPLATES: Final = r"""
ticket en | [#{number}] Door badge refuses to open. Reporter {person} ({email}), desk line {phone.us}. Since {date} the reader at {street} blinks red.
ticket en | Caller {person} says the meter was read twice. She rang from {phone.gb} and lives at {street}, {town}, {postcode}.
ticket en | Chargeback opened by {person}: card {card} was billed {amount} on {date}. Reply to {email}.
ticket en | Duplicate of the one {given} filed. Device {mac} keeps asking {ipv4} for a lease; firmware {version}, ticket {uuid}.
ticket en | Handset swap for {surname}: old handset stays, voicemail moves over to {phone.au}. Ship the new one to {street}, {town}.
ticket en | Broadband down again at {street} in {town}. Try {person} on {phone.gb} before nine, afterwards {phone.gb}.
ticket en | Locked out. Last good sign-in came from {ipv6} on {date}, the failing ones from {ipv4}. Account holder: {person}.
ticket en | Refund wanted to {iban} (BIC {bic}), holder {person}, reference {order}.
chat en | 10:42 {given}: did the courier ring you?\n10:43 {given}: yes, left it with {person} next door\n10:44 {given}: give me his number pls\n10:44 {given}: {phone.gb}
chat en | <{given}> my landlord {person} wants the deposit on {iban}\n<{given}> then send it, {amount} right?\n<{given}> and he is at {street} till {time}
chat en | @channel {person} is out until {date}, ping {person} ({email}) about {sku} meanwhile
chat en | lol {given} just typed her password {password} into the channel, someone rotate it
chat en | ok so i am {person} and you can reach me under {phone.us} or {email}, whichever works
chat en | agent: may I have your birthday?\nvisitor: born {dob}\nagent: and the name on the policy?\nvisitor: {person}\nagent: found it, thank you
mail en | From: {person} <{email}>\nTo: {email}\nDate: {date}\nSubject: keys for {street}\n\nMorning {given},\n\nthe spare set is with {person} at {firm}. Ring {phone.gb} first.\n\nYours\n{given}
mail en | Dear Dr {surname},\n\nI enclose the scan of {person}, born {dob}, NHS number {nhs}. The family now stays at {street}, {town} {postcode}.\n\nSincerely,\n{person}\n{firm}
mail en | Hello team,\n\n{person} from {firm} asks whether clause {number} still holds. Could one of you answer {email} by {date}?\n\nBest\n{given} {surname}
mail en | Good afternoon,\nafter the merger please invoice {firm}, {street}, {town}, VAT number {vat}, and copy {email}.\nMany thanks,\n{person}
mail en | Sorry to hear that, {given}. Our engineer {person} will be at {street} on {date} around {time}.
contract en | This lease is entered into on {date} by {person} of {street}, {town} (the "Tenant") and {firm} (the "Landlord").
contract en | The Guarantor, {person}, born on {dob} and holding passport no. {passport}, undertakes to pay {amount} to {iban}.
contract en | Employee: {person}. SSN {ssn}. Start: {date}. Workplace: {firm}, {street}, {town}.
contract en | Signed at {town} on {date}\n\n______________________\n{person}\nfor {firm}, EIN {ein}
contract en | Schedule B: vehicle VIN {vin}, keeper {person}, garaged overnight at {street}.
medical en | Referral: {person}, DOB {dob}, MRN {mrn}. Seen by Dr. {surname} (NPI {npi}) on {date}; wheeze settled, home with {given}.
medical en | Discharge note. Nurse {surname} rang the daughter, {person}, at {phone.us}. Wound dry, stitches out in {number} days.
medical en | Telehealth visit with {person} in {town}: SIN {sin} on file, pharmacy at {street} informed.
hr en | Applicant {listed} (NI number {nino}) moved here from {town}; referees {person} and {person}.
hr en | Payroll query, staff member {person}: pay into {iban} from {date}, tax residence {town}.
log en | {date} WARN auth user="{email}" ip={ipv4} jwt={jwt} latency={number}ms
log en | {date} sshd[{number}]: Accepted publickey for deploy from {ipv4} port 5{number}22; host key {hash}
log en | dhcpd: DHCPACK on {ipv4} to {mac} via eth{number}
log en | ERROR PaymentService order={order} pan={card} holder="{person}" retry={number}
log en | GET {url} 302 from {ipv6} agent=curl/{version}
config en | export AWS_ACCESS_KEY_ID={awskey}\nexport REGION=eu-{number}\n# owner: {person}
config en | [database]\nhost = db.example.net\nuser = ledger\npassword = {password}\npool = {number}
config en | SESSION_SECRET={hexkey}\nBUILD={version}\nCONTACT={email}
config en | wallet: {wallet}\npayout_to: {person}\nmin_amount: {number}
json en | {{"applicant": {{"fullName": "{person}", "dateOfBirth": "{dob}", "mobile": "{phone.us}"}}, "sku": "{sku}"}}
json en | {{"event": "checkout", "ip": "{ipv4}", "email": "{email}", "card_number": "{card}", "cart": "{uuid}"}}
json en | {{"tenant": "{firm}", "contact_name": "{person}", "site": {{"street": "{street}", "town": "{town}"}}, "build": "{version}"}}
json en | {{"iban": "{iban}", "beneficiary": "{person}", "note": "rent {number}", "hash": "{hash}"}}
csv en | ref;holder;phone;joined\n{order};{person};{phone.gb};{date}\n{order};{person};{phone.gb};{date}
csv en | employee,ssn,email,site\n"{listed}",{ssn},{email},{town}\n"{listed}",{ssn},{email},{town}
csv en | mac,lease,owner\n{mac},{ipv4},{given}\n{mac},{ipv4},{given}
prose en | When {person} took over {firm}, nobody in {town} had expected it; {surname} himself least of all.
prose en | The choir of {town} is led by {person}. Her predecessor, {person}, retired to {town} in the spring.
prose en | {firm} opened a second depot at {street}. According to {person}, who runs it, thirty jobs moved from {town}.
prose en | I owe this recipe to {given}, whose aunt {person} cooked it in {town} every winter.
prose en | Minutes: present {person}, {person}, {given}. {surname} reported on the roof; {given} will obtain a second quote by {date}.
lower en | hey its {given} again, ive moved to {street} in {town}, can u update it
lower en | please call my sister {given} on {phone.us} she handles the claim now
no-ticket en | Order {order} shipped late: {number} of {number} boxes arrived, item {sku} is missing. Please advise.
no-ticket en | Upgrade from {version} to {version} fails with exit code {number}; commit {hash} works, {uuid} does not.
no-log en | {time} worker-{number} finished job {uuid} in {number}.{number}s (cache {hash}, build {version})
no-prose en | Fold the egg whites in gently, bake for {number} minutes and leave the oven door ajar; the crust should crackle.
no-prose en | The warranty covers parts and labour. Wear, misuse and water are excluded, and so is anything bought second hand.
no-prose en | Section {number}.{number} applies where the rate exceeds {number} percent; otherwise see table {number}.
no-config en | image: registry.local/app:{version}\nreplicas: {number}\nrevision: {hash}\nmemory: {number}Gi
no-chat en | can someone look at the flaky test? it fails one time in {number}, always after the cache warms up
no-mail en | Hi all,\n\nthe kitchen stays closed until further notice. Coffee is on the second floor.\n\nThanks
no-csv en | sku,qty,price\n{sku},{number},{amount}\n{sku},{number},{amount}
no-prose en | May was wet and March was cold; the rose by the bridge bloomed late, and the will to mow the lawn was weak.
no-ticket en | Temperature in rack {number} rose by {number} degrees at {time}. Fan {sku} replaced, part list {order}.
ticket de | Zähler defekt bei {person}, {street}, {postcode} {town}. Rückruf bitte unter {phone.de}, am besten nach {time}.
mail de | Guten Tag Frau {surname},\n\nanbei der Mietvertrag für {street}. Die Kaution überweisen Sie bitte auf {iban}.\n\nMit besten Grüßen\n{person}\n{firm}
contract de | Der Darlehensnehmer {person}, geboren am {dob}, wohnhaft {street} in {town}, Steuer-ID {steuer}, verpflichtet sich zur Rückzahlung.
chat de | {given}: hast du die Handynummer von {person}?\n{given}: klar, {phone.de}
medical de | Überweisung für {person}: Befund an {firm} gefaxt, Termin am {date}. AHV-Nummer {ahv}.
no-mail de | Guten Tag,\n\nder Aufzug steht bis Freitag still. Bitte nehmen Sie die Treppe.\n\nIhre Hausverwaltung
no-ticket de | Bestellung {order}: Artikel {sku} fehlt, Lieferschein über {amount} liegt bei.
ticket fr | Panne d'ascenseur signalée par {person}, {street}, {postcode} {town}. Joindre la gardienne au {phone.fr}.
mail fr | Chère Madame {surname},\n\nvotre dossier est complet. Numéro de sécurité sociale : {nir}. Écrivez-nous à {email}.\n\nBien à vous,\n{person}
contract fr | Entre {firm}, sise {street} à {town}, et {person}, né le {dob}, il est convenu ce qui suit.
no-mail fr | Bonjour,\n\nla cantine sera fermée lundi. Pensez à apporter votre repas.\n\nMerci
ticket es | Avería en {street}, {town}. Avisó {person} con DNI {dni}; su correo es {email}.
contract es | De una parte {person}, con domicilio en {street}, {postcode} {town}, y de otra {firm}, acuerdan lo siguiente.
chat es | {given}: ¿quién lleva lo de {firm}?\n{given}: lo lleva {person}, escríbele a {email}
no-ticket es | El pedido {order} llegó incompleto: faltan {number} cajas de {sku}. Revisen el albarán.
mail it | Gentile signor {surname},\n\nil bonifico su {iban} è arrivato. La aspettiamo in {street}, {town}.\n\nUn cordiale saluto\n{person}
contract it | Il conduttore {person}, residente in {street}, {postcode} {town}, versa a {firm} la somma di {amount}.
no-mail it | Buongiorno a tutti,\n\nl'ufficio chiude alle {time}. Lasciate le chiavi in portineria.
ticket nl | Melding van {person}: lekkage aan de {street} in {town}. BSN {bsn}, bel terug of mail naar {email}.
mail nl | Geachte mevrouw {surname},\n\nuw pakket ligt klaar bij {firm}, {street}.\n\nHartelijke groet,\n{person}
contract be | Ondergetekende {person}, rijksregisternummer {rijk}, wonende te {town}, verklaart het bedrag ontvangen te hebben.
ticket pl | Zgłosiła {person}, PESEL {pesel}, {street}, {postcode} {town}. Nie działa domofon.
mail pl | Szanowny Panie {surname},\n\nfaktura dla {firm} czeka na opłacenie. Proszę pisać na {email}.\n\nZ poważaniem\n{person}
ticket sv | Felanmälan från {person}, {street}, {postcode} {town}. Nås på {phone.se}. Personnummer {personnummer}.
mail sv | Hej {given},\n\navtalet med {firm} är klart, hör av dig till {email} senast {date}.\n\nVänligen\n{person}
medical sv | Henkilötunnus {hetu} siirretty, hoitaja {person} soitti.
contract br | Contratante: CPF {cpf}, residente em {town}, representado por {person}.
""".strip().splitlines()

KEPT: Final = r"""
ticket en | Water meter for {street} reads {number} too high, writes {person}. Her tenant {given} can open up; dial {phone.gb} on arrival.
ticket en | Please close the profile of {person}. Everything went to {email}, which she lost along with {phone.us}.
chat en | {given} -> {given}: who signs for {firm}?\n{given} -> {given}: {person}, she sits in {town}
chat en | btw {person} changed her mail to {email}, pls tell {given}
mail en | Hello {person},\n\nas agreed on {date} we will collect the piano from {street} in {town}. {given} will phone from {phone.au}.\n\nWarm wishes,\n{person}\n{firm}
mail en | Hi {given}, hi {given},\n\ncould one of you forward the minutes to {person} ({firm})? She only gets mail at {email}.\n\nTa,\n{given}
contract en | THIS DEED is made by {person}, of {street}, {town} {postcode}, in favour of {firm}, and takes effect on {date}.
contract en | The Buyer ({person}, SSN {ssn}) pays {amount} from {iban}; the Seller is {firm}, VAT number {vat}.
medical en | Clinic letter: thank you for sending {person} (NHS number {nhs}, born {dob}). Dr {surname} examined her on {date}.
medical en | Ward round: {surname} slept well, {given} brought grapes. MRN {mrn}. Plan agreed with Dr. {surname}.
log en | {date} INFO mailer to={email} via={ipv6} size={number}k id={uuid}
log en | audit: operator "{person}" exported order {order} from {ipv4}
json en | {{"patient_name": "{person}", "phone": "{phone.gb}", "town": "{town}", "build": "{version}"}}
json en | {{"payee": {{"name": "{person}", "iban": "{iban}", "bank": "{firm}"}}, "ref": "{order}"}}
csv en | name,card,amount\n{person},{card},{number}\n{person},{card},{number}
config en | smtp_user: {email}\nsmtp_password: {password}\nrelay: {ipv4}
prose en | At the fair in {town} the first prize went to {person}, whose brother {given} had built the kiln behind {firm}.
prose en | {surname} wrote to {person} once a month. The letters, kept at {street}, begin in {town} and end there.
lower en | this is {person}, my parcel {order} went to {street} and i live in {town} now
no-ticket en | Pump {sku} leaks after {number} hours at {number} bar. Gasket from batch {order} is suspected.
no-prose en | A fair reader will grant that the mark was missed by a mile; still, frank talk is a joy and hope is cheap.
no-log en | build {version} of {uuid} passed {number} of {number} checks, digest {hash}
no-mail en | All,\n\nthe lift is repaired. Please do not use the goods lift for furniture.\n\nFacilities
ticket de | Heizung kalt in der {street}, meldet {person}. Hausmeister {surname} kommt am {date}. Rückfragen: {phone.de}.
mail de | Liebe {given},\n\ndie Unterlagen von {firm} liegen bei {person} in {town}. Ruf kurz durch: {phone.de}.\n\nAlles Liebe\n{given}
no-ticket de | Drucker {sku} meldet Papierstau, obwohl Fach {number} leer ist. Zähler: {number}.
mail fr | Cher {given},\n\nle devis de {firm} est chez {person}, {street}, {town}. Son portable : {phone.fr}.\n\nAmitiés,\n{given}
no-ticket fr | La chaudière {sku} affiche le code {number}. Pression normale, pas de fuite visible.
ticket es | Reclama {person}, de {town}: el recibo se cobró dos veces en {iban}. Contacto: {email}.
mail it | Caro {given},\n\nla chiave di {street} è da {person}, in {town}. Scrivimi a {email}.\n\nA presto\n{given}
mail nl | Beste {given},\n\n{person} van {firm} komt {date} langs op de {street} in {town}.\n\nGroetjes\n{given}
mail pl | Cześć {given},\n\n{person} z firmy {firm} czeka w {town}, adres: {street}.\n\nPozdrawiam\n{given}
ticket sv | Ringde gjorde {person} från {town}. Nytt lås till {street}, nås på {phone.se}.
""".strip().splitlines()
"""Scored only as a whole: nobody reads what the detector does with these before changing it."""

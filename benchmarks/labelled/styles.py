"""Texts with slots in the styles of public sets and of everyday documents: forms and chats in many languages, finance and
care documents, clinical notes, news, contracts, mail threads, CVs, rows of databases. The formats were known, the sentences
are our own. ``style language | text``; slots as in ``templates.py``. ``READ`` was looked at while the detector was changed,
``KEPT`` was not: other sentences, and other people, firms, streets and towns (``people_kept.py``).
"""

from __future__ import annotations

from typing import Final

READ: Final = r"""
form en | First name: {given}\nLast name: {surname}\nUsername: {user}\nPassword: {password}\nDate of birth: {dob}\nStreet: {street}\nCity: {town}\nPostcode: {postcode}
form en | Applicant: {given} {surname} | Age: {age} | Occupation: weaver | Mobile: {phone.us} | E-mail: {email}
form en | ACCOUNT HOLDER: {caps}\nACCOUNT NO: {acct}\nROUTING: {routing}\nCARD: {card}\nCVV: {cvv}
form en | Dear {given}, we registered the device with IMEI {imei} and the vehicle {plate} under your user name {user}.
form en | Good news, {given}! Your sign-in {user} now works from {ipv4} and from {mac}. PIN: {pin}.
form de | Vorname: {given}\nNachname: {surname}\nGeburtsdatum: {dob}\nStraße: {street}\nPLZ: {postcode}\nOrt: {town}\nTelefon: {phone.de}
form de | Hallo {given}, dein Benutzername {user} wurde mit {email} verknüpft. Kennzeichen {plate}, IBAN {iban}.
form fr | Nom : {surname}\nPrénom : {given}\nAdresse : {street}, {postcode} {town}\nCourriel : {email}\nIdentifiant : {user}
form es | Nombre: {given}\nApellidos: {surname}\nDNI: {dni}\nDirección: {street}\nLocalidad: {town}\nCorreo: {email}
form it | Cognome: {surname}\nNome: {given}\nIndirizzo: {street}\nCittà: {town}\nTelefono: {phone.it}
form nl | Achternaam: {surname}\nVoornaam: {given}\nAdres: {street}\nWoonplaats: {town}\nBSN: {bsn}
form pt | Nome: {given} {surname}\nMorada: {street}\nLocalidade: {town}\nCorreio: {email}\nCPF: {cpf}
form tr | Ad: {given}\nSoyad: {surname}\nŞehir: {town}\nE-posta: {email}
form pl | Imię: {given}\nNazwisko: {surname}\nAdres: {street}, {postcode} {town}\nPESEL: {pesel}
form da | Fornavn: {given}\nEfternavn: {surname}\nBy: {town}\nE-mail: {email}
finance en | WIRE TRANSFER ADVICE\n\nOrdering customer: {person}\nBeneficiary bank: {firm}\nSWIFT: {bic}\nAccount: {acct}\nValue date: {date}\nAmount: {amount}
finance en | Loan application of {date}. Borrower {person}, born {dob}, resides at {street}, {town}. Employer: {firm}. Customer ID: {custid}.
finance en | {firm} hereby notifies {person} that the facility of {amount} ends on {date.words}. Questions go to {email} or {phone.ext}.
finance en | Statement for {person}\n{street}\n{town} {postcode}\n\nRouting number: {routing}\nAccount number: {acct}\nPolicy number: {member}
finance en | SWIFT MT103\n:50K:/{acct}\n{caps}\n{street}\n:57A:{bic}\n:59:/{iban}\n{caps}
finance de | Kontoinhaber {person}, IBAN {iban}, BIC {bic}. Der Darlehensvertrag mit der {firm} endet am {date}.
finance fr | Le compte de {person} ({iban}) sera clôturé le {date} par {firm}, {town}.
care en | Patient {person} ({age} years old), MRN {mrn}, insured with {firm}, member ID {member}, was moved to {town} on {date}.
care en | Health plan beneficiary: {person}\nMember ID: {member}\nPrimary care: Dr. {person}\nPharmacy: {firm}, {street}\nTel: {phone.us}
care en | {listed} MRN:{mrn} DOB:{dob} Adm:{date} Att:{surname}
care en | HISTORY: This is a {age}-year-old man, Mr. {surname}, who was transferred from {firm} in {town} on {date.words}. Dr. {initials} was called.
care en | Pt seen by {given} {surname}, RN. Daughter {given} at bedside. Discharge to {town} planned for {date}; call {phone.ext}.
care en | Dictated by: {initials}\nTranscribed: {date}\ncc: {person}, M.D., {firm}
care de | Patientin {person}, geb. {dob}, wurde am {date} aus dem Krankenhaus in {town} entlassen. Hausarzt Dr. {surname}.
care fr | M. {person}, {age} ans, adressé par le Dr {surname} ({firm}), vit à {town} avec sa fille {given}.
care es | Paciente {person}, de {age} años, natural de {town}. Acude con su hija {given}. Médico: Dra. {surname}.
news en | {town} ({firm}) - {person}, who leads {firm}, told a crowd in {country} that talks with {country} would go on.
news en | {caps}, {town}: the court heard on {date.words} that {surname} had left {country} two years before.
news en | {firm} shares fell after {person} stepped down; {surname} had run the company from {town} since {year}.
news en | {country} beat {country} in {town} as {surname} scored late, {given} {surname} having hit the post.
news en | Talks between {firm} and {firm} broke down in {town}, said {person}, a spokesman for {firm}.
news de | {person}, Vorstand der {firm}, sprach in {town} über den Streit mit {country.de}.
news fr | À {town}, {person} a annoncé que {firm} quitterait la région.
news es | El alcalde de {town}, {person}, visitó ayer la sede de {firm}.
news it | {person}, presidente di {firm}, è arrivato ieri a {town}.
news nl | Volgens {person} van {firm} gaat de fabriek in {town} dicht.
article en | {person} (born {date.words} in {town}, {country}) is a retired goalkeeper who played for {firm}.
article en | {town} is a town in the north of {country}. It was home to the painter {person}, and to {firm}.
article en | {firm} was founded in {year} by {person} and {person}. Its head office lies in {town}.
article de | {person} (* {date} in {town}) war eine Chemikerin und Mitgründerin der {firm}.
lower en | hi this is {person} again, i live in {town} and i work for {firm}, call me on {phone.us}
lower en | has anyone seen {given}? she was on her way from {town} to see dr {surname}
lower en | pls send it to {street} {town} {postcode}, thx, {given}
lower de | hallo, hier ist {person} aus {town}, meine kundennummer ist {custid}
lower es | hola soy {person}, vivo en {town} y mi correo es {email}
lower fr | bonjour je suis {person}, j'habite à {town} depuis un an
caps en | NOTICE TO {caps}: THE HEARING IN {caps.town} IS MOVED. CONTACT {caps} OR {email}.
caps en | ATTN {caps}\n{street}\n{caps.town}\nPLEASE PAY {amount} BY {date}
mail en | From: {listed} <{email}>\nSent: {date.mail}\nTo: {listed} <{email}>\nSubject: RE: badge of {surname}\n\n{given},\nsee below. {given} will join from {town}.\n\n{initials}
mail en | On {date.mail}, {person} <{email}> wrote:\n> {given} can pick up the keys at {street}.\n> Regards, {given}\n\nFine with me.\n\n{person}\nHead of Billing | {firm} | {phone.ext}
mail en | Thanks, {surname}. Forwarding to {listed} in {town}.\n\n-- \n{person}\n{firm}\n{street}, {town}, {postcode}
cv en | {caps}\n{street}, {town} | {phone.us} | {email}\n\nEXPERIENCE\n{firm}, {town} - shift lead, {year} to {year}\n{firm}, {town} - trainee\n\nREFERENCES\n{person}, {firm}
cv en | Profile of {person}. Speaks Welsh and Dutch. Worked at {firm} ({year} to {year}) under {person}, then at {firm} in {town}.
cv de | Lebenslauf\n{person}\ngeboren am {dob} in {town}\n{street}\n{email}\n\n{year} bis {year}: {firm}, {town}
contract en | THIS AGREEMENT is between {firm}, a company with its seat in {town}, {country}, and {person}, holder of passport {passport} (the "Agent").
contract en | IN WITNESS WHEREOF the parties have signed.\n\nBy: {person}\nTitle: Treasurer\nDate: {date}\n\nWitness: {initials}
contract de | Zwischen der {firm}, {street}, {town}, und Frau {person}, geboren am {dob}, wird vereinbart:
sql en | INSERT INTO members (first_name, last_name, email, phone) VALUES ('{given}', '{surname}', '{email}', '{phone.us}');
sql en | UPDATE staff SET city = '{town}', manager = '{person}' WHERE employee_id = '{staff}';
csv en | first_name,last_name,city,company,card_number\n{given},{surname},{town},{firm},{card}\n{given},{surname},{town},{firm},{card}
csv en | id;employee;dob;plate\n{number};{listed};{dob};{plate}\n{number};{listed};{dob};{plate}
csv de | Nachname;Vorname;Ort;IBAN\n{surname};{given};{town};{iban}\n{surname};{given};{town};{iban}
json en | {{"first_name": "{given}", "last_name": "{surname}", "username": "{user}", "password": "{password}", "address": {{"street": "{street}", "city": "{town}", "zip": "{postcode}"}}}}
json en | {{"event": "login", "user_name": "{user}", "ipv6": "{ipv6}", "device": {{"imei": "{imei}", "mac": "{mac}"}}, "position": "{geo}"}}
json en | {{"driver": "{person}", "license_plate": "{plate}", "vin": "{vin}", "licence": "{dl}", "employee_id": "{staff}"}}
log en | {stamp} INFO user={user} login ok from {ipv4} (session by {email})
log en | {stamp} app[{number}]: customer {given} {surname} changed address to {street}, {town}
ticket en | Claim {case}: the car of {person}, plate {plate}, was hit in {town} at {geo}. Witness: {initials}.
ticket en | Employee {staff} ({person}) lost laptop and phone (IMEI {imei}) on {date.words} between {town} and {town}.
ticket en | The user {user} asks why {firm} charged {card}; exp 09/29, cvv {cvv}.
ticket en | Hi, {person} here. My driver's licence {dl} is expired. I turned {age} in May. Address: {street}, {town}.
chat en | {given}: is {surname} in today?\n{given}: no, {town}\n{given}: and {initials}?\n{given}: at {firm}
chat en | Agent {given}: your username?\nVisitor: {user}\nAgent {given}: and your city?\nVisitor: {town}, {country}
post en | so proud of {given} and the whole {firm} crew!! see you in {town} next week
post en | {person} just walked past me in {town} lol
no-prose en | The plan is simple. Check the pump, read the manual, and write down every step. A good day to rest your case and mark the date.
no-prose en | Chapter two will bill itself as a guide to grace under pressure, though frank readers may find it a little rich.
no-code en | def parse(value: str) -> int:\n    # Return Value as an int. Raise ValueError for Bad Input.\n    return int(value.strip())
no-code en | class OrderQueue(BaseModel):\n    retry_count: int = 3\n    Default = Field(alias="Main")\n    # Mark was renamed to Flag, see README
no-form en | Item: Desk Lamp\nColour: Olive\nModel: {sku}\nState: new\nOrder: {order}\nTotal: {amount}
no-news en | Shares rose on Monday as investors weighed Central Bank minutes; Treasury yields slipped and the Euro gained.
no-form de | Artikel: Schreibtischlampe\nFarbe: Grün\nModell: {sku}\nZustand: neu\nBetrag: {amount}
""".strip().splitlines()

KEPT: Final = r"""
form en | Given name: {given}\nFamily name: {surname}\nLogin: {user}\nNew password: {password}\nBirthday: {dob}\nAddress line 1: {street}\nTown: {town}\nZIP: {postcode}
form en | Name of guest: {person}; passport: {passport}; licence plate: {plate}; arriving {date.words}
form en | We could not verify {given} {surname}, user {user}. The card {card} (CVC {cvv}) was declined at {ipv4}.
form en | PARENT/GUARDIAN: {caps}\nSTREET: {street}\nTOWN: {town}\nPHONE: {phone.us}
form en | Thank you {given}. The handset {imei} is unlocked, its network card {mac} is known to {firm}.
form de | Name, Vorname: {listed}\nWohnort: {postcode} {town}\nStraße und Hausnummer: {street}\nE-Mail: {email}
form de | Liebe {given} {surname}, für Ihr Fahrzeug {plate} liegt eine Nachricht vor. Ihre PIN lautet {pin}.
form fr | Nom et prénom : {surname} {given}\nVille : {town}\nTéléphone : {phone.fr}\nNuméro de sécurité sociale : {nir}
form es | Titular: {person}\nDomicilio: {street}, {postcode} {town}\nCuenta: {iban}
form it | Nome e cognome: {person}\nResidenza: {street}, {town}\nPosta elettronica: {email}
form nl | Naam: {person}\nStraat en huisnummer: {street}\nPlaats: {town}\nE-mailadres: {email}
form pt | Cliente: {person}, residente em {town}, contacto {email}
form tr | Sayın {person}, {town} şubemize bekleriz. E-posta: {email}
form sv | Namn: {person}\nGata: {street}\nOrt: {town}\nPersonnummer: {personnummer}
finance en | Payment order\nPayer: {person}, account {acct}\nPayee: {firm}\nIBAN: {iban}\nBIC: {bic}\nDue: {date}
finance en | The undersigned, {person}, owner of {firm} in {town}, applies for a credit line of {amount} as of {date.words}.
finance en | To: {person}\nRe: account ending in {pin.tail}\n\nYour customer number is {custid}. Write to {firm}, {street}, {town}.
finance en | ABA routing {routing}, account number {acct}, held by {caps} since {date}.
finance de | Die {firm} bestätigt Herrn {person}, {street}, {postcode} {town}, den Eingang von {amount} am {date}.
finance es | {firm} comunica a {person} que la cuenta {iban} fue bloqueada el {date}.
care en | Name: {listed}   Age: {age}   MRN: {mrn}   Ward physician: {initials}   Admitted: {date}
care en | Ms. {surname} is a {age} yo woman known to {firm}. Her brother {given} lives in {town}. Seen with Dr. {surname} on {date.words}.
care en | Beneficiary {person}, policy number {member}, saw {person}, DO, at {firm} on {date}.
care en | ECG reviewed by {surname}. {given} was told to phone {phone.ext} if the pain comes back. Home: {street}, {town}.
care de | Herr {surname}, {age} Jahre, lebt mit seiner Frau {given} in {town}; überwiesen von {firm}.
care it | La signora {person}, nata il {dob}, è stata visitata dal dott. {surname} a {town}.
news en | Prosecutors in {town} charged {person}, once the treasurer of {firm}, after a raid in {country} on {date.words}.
news en | "We are sorry," said {surname}. {firm} will close its plants in {town} and {town}, {country}.
news en | {person} of {country} won the race through {town} ahead of {person}.
news en | Minister {surname} flew from {town} to {country} to meet the heads of {firm} and {firm}.
news de | In {town} demonstrierten Angestellte der {firm}. {person} sprach von einem Fehler.
news fr | Selon {person}, directrice de {firm}, l'usine de {town} rouvrira en mai.
news pt | Em {town}, {person} recebeu o prémio da {firm}.
news pl | W {town} spotkali się {person} i {person} z firmy {firm}.
article en | Born in {town}, {person} studied in {country} before joining {firm} in {year}.
article en | The river rises near {town}, crosses {country} and ends at {town}. {surname} mapped it in {year}.
article fr | {person}, née à {town}, est une peintre. Elle dirigea {firm} jusqu'en {year}.
lower en | my name's {person} and my landlord {given} from {town} wont answer, my number is {phone.us}
lower en | thanks {given}, {surname} at {firm} said the same
lower de | ich wohne in {town}, {street}, mein name ist {person}
lower it | ciao sono {person} di {town}, la mia email è {email}
caps en | URGENT: {caps} LEFT {caps.town} WITH {caps}. CALL {phone.us}.
caps en | INVOICE TO\n{caps}\n{street}\n{caps.town}\nDUE {date}
mail en | From: {person} [mailto:{email}]\nDate: {date.mail}\nTo: {given}; {given}; {listed}\nSubject: visit of {person}\n\nAll, {surname} lands in {town} on {date}. {given}, can you host?\n\n{given}
mail en | {given} {surname} wrote on {date}:\n| I asked {given} at {firm}.\n| She is in {country} now.\n\nOK. Copying {listed}.\n{initials}
cv en | {person}\n{email} - {phone.ext} - {town}\n\nWORK\n{year} to {year}  {firm}\n{year} to {year}  {firm}, {country}\nEDUCATION\n{town} Grammar School
cv fr | {person}\n{street}, {town}\n{email}\n\nFormation : {town}, {year}\nEmploi : {firm}, {town}
contract en | {person} ("Licensor"), residing at {street}, {town}, {country}, and {firm} ("Licensee") agree as of {date.words}:
contract en | Notary {surname} read the deed to {person} and {person} in {town}.
contract fr | Entre {firm}, {street}, {town}, et M. {person}, né le {dob}, il est convenu ce qui suit :
sql en | SELECT * FROM people WHERE surname = '{surname}' AND town = '{town}'; -- asked by {person}
csv en | customer,user_name,address,zip,imei\n{person},{user},{street},{postcode},{imei}\n{person},{user},{street},{postcode},{imei}
csv en | LastName,FirstName,Country,Employer\n{surname},{given},{country},{firm}\n{surname},{given},{country},{firm}
json en | {{"givenName": "{given}", "familyName": "{surname}", "login": "{user}", "location": {{"city": "{town}", "country": "{country}", "coordinates": "{geo}"}}}}
json en | {{"order": {{"recipient": "{person}", "company": "{firm}", "street_address": "{street}", "phone_number": "{phone.us}"}}}}
json en | {{"staff_id": "{staff}", "manager": "{listed}", "plate": "{plate}", "driver_license": "{dl}"}}
log en | {stamp} WARN failed password for {user} from {ipv6}; owner {person}
log en | {stamp} audit actor="{given} {surname}" target={email} city="{town}"
ticket en | {person} in {town} reports that {firm} double-billed. Case {case}. She is {age} years old and prefers {phone.ext}.
ticket en | Parking fine for {plate}: driver {initials}, licence {dl}, near {geo}.
ticket en | Staff member {person}, employee ID {staff}, cannot open the portal as {user}.
chat en | [{given}] who is {person}?\n[{given}] from {firm}, works in {town}
chat en | me: i'm {given}\nbot: and your surname?\nme: {surname}\nbot: where do you live?\nme: {town}
post en | Big thanks to {person} and {person} for the lift from {town}!
post en | why does {firm} never answer... {town} branch is a joke
no-prose en | Each summer the hall is painted. No one minds the smell, and by August the windows are open from dawn to noon.
no-prose en | Page three says: Hope for the best. Jack up the frame, drew the line, pat the clay dry, and may the glaze hold.
no-code en | async function loadPage(index) {{\n  const Result = await fetch(`/api/items/${{index}}`);\n  return Result.json(); // Throws TypeError\n}}
no-code en | SELECT count(*) FROM orders WHERE status = 'OPEN' GROUP BY Region ORDER BY Total DESC;
no-form en | Product: Garden Hose\nLength: {number} m\nRange: Classic Line\nBatch: {order}\nPrice: {amount}
no-news en | Rain delayed the Cup Final on Sunday; the League will set a new date, and Season Tickets stay valid.
no-form fr | Produit : Lampe de bureau\nCouleur : Vert\nModèle : {sku}\nPrix : {amount}
""".strip().splitlines()
"""Scored only as a whole."""

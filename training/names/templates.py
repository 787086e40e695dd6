"""The texts with slots, written here without looking at those of any data set. ``generator.py`` says what fills a slot."""

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

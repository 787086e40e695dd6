"""English sentences in the manner of public sets, written out with their values marked as in ``europe_texts.py``: news with its
tables of results, judgements, essays of students, notes of clinics, letters and tickets of banks, chats. All people and events are
invented, towns, countries and some organizations exist; nothing was copied from a set. Nationalities, months, laws, prizes and
job titles are unmarked: they are traps.

``READ`` was looked at while version 15 was made. ``KEPT`` was written in the same hour, before the detector was tried on either;
of it only sums were looked at. ``europe_make.py`` writes both into ``prose.jsonl``.
"""

from __future__ import annotations

from typing import Final

READ: Final[dict[str, str]] = {
    "news": """
[L|LISBON] 1996-11-04⏎[P|Duarte Falcao] scored twice as [O|Benfica] beat [O|Boavista] 3-1 on Sunday to go top of the Portuguese league.
SOCCER - [P|RENWICK] OUT OF [L|SCOTLAND] SQUAD WITH KNEE INJURY.
[L|Colombo] - Sri Lankan police on Thursday arrested two men suspected of planting the bomb that injured eleven people near the [O|Central Bank].
1. [P|Marit Solheim] ([L|Norway]) 22.31 seconds⏎2. [P|Petra Havlova] ([L|Czech Republic]) 22.48⏎3. [P|D. Okonjo] ([L|Nigeria]) 22.60
The [O|Halvorsen Group] said second-quarter profit rose 12 percent, beating forecasts by analysts at [O|Morgan Stanley].
"We will not comment on talks," said [P|Ingleby], who heads the union's office in [L|Sheffield].
Striker [P|Tomasz Wrobel] joined from [O|Lech Poznan] for an undisclosed fee, the [O|Premier League] club said on Friday.
[O|Quarrydale Town] 2 [O|Marsh Rovers] 0⏎[O|Ashby United] 1 [O|Northwold Athletic] 1
The [O|Labour Party] accused the government of misleading [O|Parliament] over the costs of the railway.
In [L|Baghdad], an Iraqi official told the [O|Tigris News Agency] that the convoy had left the Kurdish north in August.
[P|Yolanda Prewitt], a spokeswoman for the [O|National Weather Service] in [L|Omaha], said the storm would weaken by Tuesday.
Shares in [O|Brackwater Mining] fell 4.2 percent in [L|Sydney] after the company cut its forecast.
[L|Kenya]'s [P|Joseph Kiprotich] won the [L|Rotterdam] marathon in two hours, six minutes.
The Dutch court sentenced [P|Van Oudenhoven] to four years; his lawyer [P|Elke Brouwer] said he would appeal.
Leading results from the Swedish Open on Wednesday: [P|Kasper Lindqvist] beat [P|Ivo Mrazek] 6-4 6-2.
The Chicago-based airline said it would fly from [L|Denver] to [L|Reykjavik] twice a week from May.
[O|Marlins] 5, [O|Padres] 3: [P|Cordero] drove in four runs and [P|Beltre] struck out nine.
Chinese [O|Foreign Ministry] officials met a delegation from the [O|World Food Programme] in [L|Geneva].
""",
    "court": """
1. The case originated in an application (no. 41237/06) against the [L|Republic of Moldova] lodged by a Moldovan national, Mr [P|Vasile Croitor] ("the applicant"), on 12 September 2006.
The applicant was represented by Ms [P|H. Lindegaard], a lawyer practising in [L|Aarhus]. The Danish Government ("the Government") were represented by their Agent, Mr [P|T. Mikkelborg], of the [O|Ministry of Foreign Affairs].
On 3 March 2001 the [O|Wroclaw Regional Court] remanded the applicant in custody. The [O|Court of Appeal] upheld that decision.
The applicant, who was born in 1957 and lives in [L|Plovdiv], was employed by the [O|Ministry of the Interior] as a driver.
[P|Croitor] v. [L|Moldova], judgment of 8 July 2010, Series A no. 44
On 17 May 1999 Dr [P|Zbigniew Paluch] of the [O|Institute of Forensic Medicine] examined the applicant and found bruises on both arms.
Mrs [P|Adebayo] lodged a criminal complaint with the [O|Bakirkoy Public Prosecutor's Office] against police officers [P|S.D.] and [P|M.K.].
The [O|Supreme Administrative Court] dismissed the appeal on points of law lodged by the applicant's brother, [P|Levan].
Having regard to Article 6 of the Convention, the Court declares the complaint admissible. The President of the Chamber was [P|Ineta Straume].
By a letter of 2 June the [O|Ankara Assize Court] asked the [O|Gendarmerie General Command] for the file of Sergeant [P|Orhan Celikbas].
The applicants, [P|Maria Teresa Fuentes Aguado] and her daughter [P|Carla], are Spanish nationals who were born in 1961 and 1989 respectively.
Counsel for the defendant, [O|Pemberton Freight Ltd], relied on the Limitation Act 1980 and on Article 3 of the Charter.
""",
    "essay": """
My name is [P|Priya Ramanathan] and I chose mind mapping because our team at [O|Infosys] needed to talk about a new product.
Challenge & selection⏎The tool that [P|Wanjiru] and I used in [L|Nairobi] was storytelling. Design Thinking taught us to listen first.
[P|Giovanni Esposito]⏎Reflection - Visualization⏎In this course at the [O|University of Virginia] I learned to look at what is, what if, what wows and what works.
When I worked as an intern for [O|Deloitte], my manager [P|Beth] asked us to interview twenty customers in three weeks.
I would like to thank Professor [P|Liedtka-Moreno] and my classmates from [L|Peru] and [L|Viet Nam] for their comments.
Assignment submitted by: [P|Nkechi Obiora]
In the words of my grandmother [P|Soledad], a good idea is like bread: it needs time. She sold bread in the market of [L|Arequipa].
We ran the Learning Launch with five teachers from [O|Saint Bridget High School], and [P|Tom], the head of science, loved it.
The company I work for, [O|Kestrel Foods], sells frozen meals, so Insight came from watching families on Monday evenings.
[P|Abdul Rahim Qasimi] says that Brainstorming without Judgement is the hardest step. I agree with [P|Abdul].
""",
    "clinic": """
Pt is a 71 yo M w/ COPD, seen by Dr. [P|Achterberg] in [O|Pulmonary Associates of Tulsa]. Wife [P|Noreen] at bedside.
ATTENDING: [P|Sandhu], [P|Harpreet] MD⏎Admission: 03/12⏎CC: chest pain x 2 days
Patient transferred from [O|St. Olave's Medical Center] to [O|Brookline Rehab] on 4/2; PCP [P|Whitcombe] notified by phone.
Discussed w/ daughter ([P|Leticia]) who lives in [L|Tucson] and will pick her up Friday. Continue Lasix and Coumadin.
Dictated by: [P|Ruben Castellano], PA-C⏎cc: [P|J. Thistlewood], M.D.
Mr. [P|Odhiambo] was started on Zosyn for Klebsiella; Foley removed by RN [P|Kim]. Hodgkin staging per Ann Arbor, Glasgow Coma Scale 15.
Social Hx: retired from [O|Boeing], lives with his son [P|Dwayne] in [L|Everett]. Denies EtOH. Parkinson's since March.
Seen in [O|Mercy General] ER by Drs. [P|Fennimore] and [P|Abiola]; Echo showed EF 35%, Foley draining clear urine.
MRI reviewed with [P|Dr. Sorensen] of Neurosurgery. Babinski negative, Romberg positive, plan: Keppra.
Referred to [O|Lakeshore Physical Therapy] in [L|Duluth]; next visit with NP [P|Ivanna Duarte] in June.
""",
    "finance": """
Dear Ms. [P|Okoro],⏎We received your wire of USD 14,500 to [O|Banco Itau] on 5 May. Your adviser, [P|Glenn Haverford], will call you.
This Loan Agreement is made between [O|Tidewater Credit Union] ("Lender") and [P|Marcus J. Ellsworth] ("Borrower"), residing in [L|Norfolk].
From: [P|Lena Bruckner]⏎To: Compliance⏎Please review the SWIFT message from [O|Standard Chartered] about [O|Orion Textiles Inc].
The Form 10-K of [O|Larkfield Industries, Inc.] was signed by [P|Patricia A. Nwosu], Chief Financial Officer.
Customer [P|Hiroshi Tanabe] opened an account at our [L|Osaka] branch through [O|Fidelity]; the Know Your Customer check is pending.
Policy holder: [P|Desmond Achebe]⏎Insurer: [O|Aviva]⏎Claims handler: [P|Rosalind Petty]
I paid at [O|Walmart] and [O|Shell] with the same card, and now [O|Chase] says both payments are blocked.
[P|Svetlana Kuznetsova] works for [O|Ernst & Young] in [L|Almaty] and audits the Kazakh subsidiary every April.
""",
    "chat": """
yo [P|marcus] u still at [O|starbucks]? me n [P|jess] r outside
Agent: Thanks for contacting [O|Norwell Telecom], this is [P|Brandi]. Customer: hi, it's [P|Ahmed Fouad], my line is dead since Tuesday
omg [P|Taylor] just got into [O|Stanford]!!! so proud of u girl
@team can someone from [L|Bangalore] join the call w/ [P|Priyanka] n [P|Olu]? Zoom link below
lol [P|Dave] said the [O|Lakers] game was boring, he hates May
Moving to [L|Leeds] next month, anyone got a spare room? msg me or my gf [P|Chantelle]
Hey it's [P|Mo] from [O|Greenfield Motors], ur car is ready. Ask for [P|Gaz] at the desk
Going to see [P|Adele] in [L|Munich] in August!! who's in
""",
}

KEPT: Final[dict[str, str]] = {
    "news": """
[L|WARSAW] 1996-12-02⏎[P|Bogdan Kulesza] kept a clean sheet as [O|Widzew Lodz] drew 0-0 with [O|Hutnik Krakow] in the Polish first division.
CRICKET - [P|THORNBURY] FIVE WICKETS PUT [L|ENGLAND] ON TOP.
[L|Manila] - Philippine troops on Monday shot dead three men suspected of kidnapping a teacher, the [O|Armed Forces] said.
1. [P|Saskia Verhoeven] ([L|Netherlands]) 4:02.11⏎2. [P|Ewa Malinowska] ([L|Poland]) 4:03.70⏎3. [P|L. Getachew] ([L|Ethiopia]) 4:04.18
The [O|Corrigan Trust] said first-half earnings slipped 3 percent, in line with estimates by brokers at [O|Credit Suisse].
"There was no warning," said [P|Tillotson], who manages the fund's desk in [L|Edinburgh].
Goalkeeper [P|Miroslav Benes] moved to [O|Sparta Prague] on loan, the [O|Bundesliga] side said on Saturday.
[O|Eastwick Albion] 3 [O|Dunmore City] 2⏎[O|Hartley Wanderers] 0 [O|Port Saxon] 4
The [O|Democratic Party] urged the [O|Senate] to reject the nominee after two days of hearings.
In [L|Kinshasa], a Congolese minister told [O|Radio Okapi] that the rebels had crossed into the eastern province in October.
[P|Deborah Stillwell], a spokeswoman for the [O|Coast Guard] in [L|Mobile], said two boats were missing since Sunday.
Shares in [O|Fernhill Oil] rose 2.9 percent in [L|Toronto] after the firm raised its dividend.
[L|Ethiopia]'s [P|Alemayehu Bekele] took the [L|Boston] title in two hours, eight minutes.
The Belgian court acquitted [P|De Wachter]; the prosecutor [P|Joris Claes] said he would study the ruling.
Leading results from the Moroccan Open on Tuesday: [P|Emilio Batista] beat [P|Goran Pavic] 7-6 6-3.
The Dallas-based carrier said it would drop flights from [L|Tampa] to [L|Nassau] from September.
[O|Rockies] 7, [O|Pirates] 2: [P|Saunders] hit two homers and [P|Villanueva] pitched seven innings.
Russian [O|Defence Ministry] officials met envoys of the [O|International Committee of the Red Cross] in [L|Vienna].
""",
    "court": """
1. The case originated in an application (no. 60218/03) against the [L|Republic of Latvia] lodged by a Latvian national, Mr [P|Aigars Ozolins] ("the applicant"), on 2 April 2003.
The applicant was represented by Mr [P|G. Castelnau], a lawyer practising in [L|Toulouse]. The French Government ("the Government") were represented by their Agent, Mrs [P|E. Belhadj], of the [O|Ministry of Justice].
On 14 October 1998 the [O|Katowice District Court] ordered his detention. The [O|Constitutional Court] refused leave.
The applicant, who was born in 1949 and lives in [L|Izmir], worked for the [O|General Directorate of Highways] as an engineer.
[P|Ozolins] v. [L|Latvia], judgment of 15 February 2007, Reports 1998-IV
On 9 January 2002 Professor [P|Radka Todorova] of the [O|National Centre for Legal Medicine] examined the applicant and noted a fracture.
Ms [P|Ngozi] brought proceedings in the [O|Diyarbakir State Security Court] against gendarmes [P|A.T.] and [P|H.B.].
The [O|Federal Administrative Tribunal] rejected the request for review lodged by the applicant's sister, [P|Nino].
Having regard to Article 8 of the Convention, the Court dismisses the objection. The Registrar of the Section was [P|Soren Prebensen].
By a decision of 30 November the [O|Naples Court of Appeal] ordered the [O|Guardia di Finanza] to hand over the papers of Captain [P|Ettore Malaspina].
The applicants, [P|Jose Antonio Cabral Teixeira] and his son [P|Rui], are Portuguese nationals who were born in 1955 and 1984 respectively.
Counsel for the claimant, [O|Wexcombe Holdings plc], referred to the Companies Act 2006 and to Part 8 of the Rules.
""",
    "essay": """
My name is [P|Thandiwe Mkhize] and I selected visualization because my group at [O|Unilever] had to explain a problem.
Approach & insight⏎The method that [P|Karthik] and I tried in [L|Chennai] was journey mapping. Design Thinking helped us to fail early.
[P|Agnieszka Pawlak]⏎Reflection - Learning Launch⏎At the [O|Darden School of Business] I learned to ask what is, what if, what wows and what works.
When I was a volunteer for [O|Oxfam], my supervisor [P|Ruth] wanted us to talk to thirty farmers in two weeks.
I want to thank Doctor [P|Ferreira-Lund] and my peers from [L|Ghana] and [L|Indonesia] for their feedback.
Author: [P|Chidinma Eze]
As my uncle [P|Anselmo] says, a plan is like a net: it has more holes than string. He fished in the bay of [L|Paracas].
We tested the prototype with six nurses from [O|Holy Cross Hospital], and [P|Amy], the head of the ward, wanted to keep it.
The firm I work for, [O|Sandpiper Travel], plans weekend trips, so Empathy came from riding buses on Sunday mornings.
[P|Mohammad Yusuf Karimi] writes that Storytelling without Data is only a story. I agree with [P|Yusuf].
""",
    "clinic": """
Pt is a 64 yo F w/ CHF, followed by Dr. [P|Vandersloot] at [O|Heart Institute of Reno]. Husband [P|Clarence] in the room.
ATTENDING: [P|Banerjee], [P|Sunita] MD⏎Admission: 07/19⏎CC: shortness of breath
Patient discharged from [O|St. Brigid's Hospital] to [O|Maple Grove Nursing Home] on 8/1; PCP [P|Lockridge] informed by fax.
Spoke w/ son ([P|Terrell]) who lives in [L|Fresno] and will drive her home Monday. Hold Plavix and Lantus.
Dictated by: [P|Moira Delacroix], NP⏎cc: [P|K. Hargreave], M.D.
Mrs. [P|Tamaki] was given Rocephin for E. coli; Hickman placed by RN [P|Torres]. Child-Pugh B, Apgar and Braden not done, Mallampati II.
Social Hx: worked for [O|Lockheed], lives with her niece [P|Latoya] in [L|Burbank]. Smokes. Crohn's since April.
Seen in [O|Sacred Heart] ED by Drs. [P|Ostrowski] and [P|Chaudhry]; Doppler showed DVT, Swan in place.
CT reviewed with [P|Dr. Halloran] of Cardiology. Murphy negative, Trendelenburg positive, plan: Eliquis.
Referred to [O|Riverside Dental Clinic] in [L|Topeka]; next visit with PA [P|Marisol Quintero] in May.
""",
    "finance": """
Dear Mr. [P|Adeyemi],⏎We received your transfer of EUR 9,200 to [O|Banca Sella] on 7 June. Your banker, [P|Trudy Wexler], will write to you.
This Lease is made between [O|Pinecrest Properties LLC] ("Landlord") and [P|Dolores K. Hutchins] ("Tenant"), residing in [L|Savannah].
From: [P|Matthias Vogl]⏎To: Treasury⏎Please confirm the Swift copy from [O|Deutsche Bank] about [O|Helix Shipping Corp].
The annual report of [O|Stonebridge Pharma, Inc.] was signed by [P|Leonard B. Faulk], Chief Executive Officer.
Customer [P|Mei-Ling Hsu] closed an account at our [L|Taipei] branch through [O|Vanguard]; the Anti Money Laundering review is open.
Policy holder: [P|Winifred Osei]⏎Insurer: [O|Allianz]⏎Claims handler: [P|Corey Batchelor]
I bought fuel at [O|Chevron] and food at [O|Costco] yesterday, and now [O|Wells Fargo] froze my card.
[P|Bakytzhan Omarov] works for [O|Grant Thornton] in [L|Tashkent] and audits the Uzbek subsidiary every August.
""",
    "chat": """
hey [P|kyle] r u at [O|target]? me n [P|steph] r in the car
Agent: Welcome to [O|Harbour Energy], you are chatting with [P|Shanice]. Customer: hello, this is [P|Goran Ilic], my meter is wrong since Monday
omg [P|Jordan] got a job at [O|Pixar]!!! couldn't be happier for him
@all can somebody in [L|Krakow] take the ticket of [P|Sipho] n [P|Anca]? Teams link below
haha [P|Becky] thinks the [O|Knicks] game was fun, she loves June
Leaving [L|Bristol] next week, anyone need a sofa? text me or my bf [P|Kieran]
Hey its [P|Raj] from [O|Woodside Dental], ur crown is in. Ask for [P|Shaz] at reception
Going to see [P|Drake] in [L|Lyon] in March!! come w me
""",
}

"""Words and names of the sample corpus; `polytag.corpus.sample.reader` explains the notation."""

from __future__ import annotations

CLOSED_WORDS = """
the/DT a/DT this/DT of/IN in/IN on/IN at/IN by/IN for/IN with/IN from/IN after/IN near/IN against/IN over/IN
since/IN as/IN that/IN if/IN while/IN than/IN between/IN and/CC but/CC or/CC to/TO he/PRP she/PRP it/PRP
they/PRP we/PRP there/EX his/PRP$ her/PRP$ its/PRP$ their/PRP$ 's/POS said/VBD was/VBD were/VBD had/VBD
is/VBZ has/VBZ are/VBP have/VBP will/MD would/MD could/MD not/RB who/WP which/WDT when/WRB percent/NN %/NN
million/CD billion/CD ,/, ./. "/" (/( )/) :/: -/: $/$
"""
"""Words that have one part of speech unless a rule gives another."""

WORD_LISTS = """
male/NNP: John Paul Peter Michael David Mark Bill Ivan Carlos Pierre Hans Ahmed Will Grant Rudi Thomas
male/NNP: Robert Andrei Luis Stefan Omar Frank Viktor Kenji
male/NNP@train: Marco Henri Colin Pavel Simon Derek Yusuf Anton
male/NNP@validation: Gareth Mikhail Rafael Bertrand Tariq
male/NNP@test: Nigel Dmitri Ernesto Laurent Hassan
female/NNP: Mary Anna Maria Linda Susan Elena June April Rose Monica Helen Julia
female/NNP@train: Martina Yuki Claire Ingrid Fatima Carmen Petra Sandra Olga Denise Joan Nadia
female/NNP@validation: Brenda Svetlana Lucia Amira
female/NNP@test: Gillian Natasha Pilar Leila
male_place/NNP: Jordan Austin Lincoln Orlando Santiago Chad Israel Houston Milan Kent
female_place/NNP: Chelsea Paris Sydney Georgia Florence Charlotte Victoria Adelaide Carolina Sofia Kenya
initial/NNP: A. B. C. D. E. F. G. H. J. K. L. M. P. R. S. T. W.
surname/NNP: Smith Johnson Brown Green White Young May Price Banks
surname/NNP: Baker Cook Hunt Page King Bush Martin Rose Lopez
surname/NNP: Ivanov Schmidt Dubois Nakamura Rossi Fischer Costa Fox Wolf
surname/NNP@train: Hughes Murphy Walsh Novak Silva Rivers Field Mills
surname/NNP@validation: Petersen Moreau Yamada Stone Bianchi Wood
surname/NNP@test: Larsson Fournier Tanaka Marsh Romano Bell
place_name/NNP: Washington Houston Lincoln Austin Jackson Madison Cleveland Hamilton Lancaster Preston Chester
place_name/NNP: Wellington Montgomery Raleigh Denver Dallas Boston
place_name/NNP: Bristol Derby York Bradford Burnley Florence
place_name/NNP: Chelsea Paris Sydney Charlotte Milan Valencia Santiago Carson Bolton Warren Marshall Stafford
city/NNP: London Moscow Berlin Rome Tokyo New_York Cairo Nairobi Madrid Geneva Bombay Seoul Athens Warsaw
city/NNP@train: Vienna Lisbon Peking Jakarta Oslo Bonn Ankara Los_Angeles Hamburg Lagos Manila Prague
city/NNP@validation: Zurich Caracas Helsinki San_Diego
city/NNP@test: Munich Bogota Stockholm San_Jose
country/NNP: Jordan Georgia Chad Israel Kenya Germany France Russia China Japan Spain Brazil U.S. Iraq Britain
country/NNP@train: Turkey Mexico Poland Egypt Canada Sudan Nigeria Cuba India Sweden
country/NNP@validation: Zambia Ecuador Lebanon Hungary
country/NNP@test: Senegal Bolivia Tunisia Romania
nation/JJ: German French Russian Chinese Japanese Spanish Brazilian Israeli British American Iraqi Kenyan
nation/JJ@train: Turkish Mexican Polish Egyptian Canadian Sudanese Nigerian Cuban Indian Swedish Dutch
nation/JJ@validation: Zambian Lebanese Hungarian Danish
nation/JJ@test: Bolivian Tunisian Romanian Belgian
nations/NNPS: Germans Russians Americans Israelis Brazilians Kenyans Mexicans Italians
nations/NNPS@validation: Zambians Hungarians
nations/NNPS@test: Tunisians Romanians
brand/NNP: Summit Target Pioneer Crown Anchor Beacon Falcon Delta Union Harvest Granite General First Northern
brand/NNP@train: Orbit Eagle Mercury Horizon Frontier Liberty
brand/NNP@train: Cardinal Pacific Atlas Sterling Diamond Royal Central
brand/NNP@validation: Compass Phoenix Meridian Castle Silver
brand/NNP@test: Heritage Cascade Matrix Bridge Golden
industry/NNP: Energy Steel Motors Air Power Oil Foods Media Systems Mining Chemical Paper Telecom Insurance
suffix/NNP: Corp Inc Ltd Plc Corp. Inc. Co. Group Holdings AG
mascot/NNPS: Tigers Eagles Bears Hawks Pirates Giants Rangers Royals
club/NNP: United City Rovers Albion Athletic Town
cup/NNP: Cup Open Trophy Classic Festival Prize
side/JJ: northern southern eastern western central
day/NNP: Monday Tuesday Wednesday Thursday Friday Saturday Sunday
month/NNP: January March April May June July August October December
party/NNP: Labour National Liberal Socialist Reform Unity Green
ministry/NNP: Foreign Defence Finance Interior Health Justice
title/NNP: President Prime_Minister Foreign_Minister Finance_Minister Chancellor Vice_President
short_title/NNP: Mr. Dr. President Minister Sen. Gov.
short_title_f/NNP: Mrs. Ms. Dr. Minister Sen. Gov.
post/NN: premier president minister envoy lawmaker
job/NN: spokesman economist lawyer doctor editor banker farmer historian teacher
role/NN: striker midfielder captain defender winger goalkeeper
issue/NN: trade tax budget pension oil security wage defence energy health
talk/NN: plan deal report bill proposal vote
pact/NN: deal accord pact treaty agreement
talks/NNS: talks plans reports cuts reforms votes charges rules
public/NNS: voters farmers workers students investors analysts unions diplomats
adjective/JJ: new secret key rival final joint difficult fresh early unusual official
mood/JJ: ready confident optimistic open certain
state/JJ: ready unfair final useless urgent unclear
worry/JJ: worried angry unhappy nervous hopeful
few/CD: two three
number/CD: two three four five six seven eight nine ten
rank/JJ: first second third fourth
rose/VBD: rose fell jumped climbed slipped gained dropped
rises/VBZ: rises falls jumps climbs slips gains drops
rise/NN: rise fall gain cut drop increase
profit/NN: profit income loss
crop/NN: wheat coffee cotton sugar gold copper rice cocoa
vehicle/NN: bus train truck ferry plane car
danger/NN: fire storm flood blast crash strike
body/NNP: EU IMF World_Bank U.N._Security_Council Red_Cross European_Commission
body_bare/NNP: NATO OPEC UNESCO Greenpeace Interpol
"""
"""One list per line: `name/POS: words`, or `name/POS@split: words` for one split only."""

NAME_STARTS = """
Hal Bran Kov Lind Mar Tor Vel Ash Dun Pet Ros Kel Nor Sal Bor Hart Gren Wes Zim Fal Ber Cal Dor Ost Stan Tam
Ul Var Win Yar Hol Fen Ald Crom Thorn Rad Sem Kir Bel Gor
"""
"""First parts of generated names, which have two parts."""
SHARED_ENDS = "ford ton ley berg wick field ham stead more land"
"""Second parts of both surnames and places, so that the name alone is ambiguous."""
SURNAME_ENDS = "enko sson ovic ini ez ski mann aro"
PLACE_ENDS = "ville burg grad pur abad mouth ovo"
COMPANY_ENDS = "tel soft gen dyne vex com tech ex"

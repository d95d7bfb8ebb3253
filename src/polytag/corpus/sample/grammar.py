"""Grammar of the sample corpus; `polytag.corpus.sample.reader` explains the notation."""

from __future__ import annotations

RULES = """
last: <surname> | <surname> | <surname> | <surname> | <surname> | <place_name> | <new_surname>
he: <male> | <male> | <male> | <male_place>
she: <female> | <female> | <female> | <female_place>
introduction: [NP my/PRP$ name/NN] [VP is] <witness> and/CC [NP I/PRP] [VP work/VBP] at <employer> in {LOC <town>} .
witness: {PER <he> <last>} | {PER <she> <last>} | {PER <he>} | {PER <she>} | {PER <new_surname>}
employer: {ORG <brand> <industry>} | {ORG <coname>} | {ORG <new_company>} | {ORG <new_company> <industry>}
man: {PER <he> <last>} | {PER <he> <initial> <last>}
woman: {PER <she> <last>} | {PER <she> <initial> <last>}
town: <city> | <city> | <city> | <city> | <place_name> | <new_place>
team: <place_name> | <place_name> | <place_name> | <place_name> | <city> | <new_place>
coname: <brand> | <brand> | <brand> | <brand> | <place_name> | <new_surname> | <new_company>
company: {ORG <coname:a> <industry:a> <suffix:a>}
rival: {ORG <coname:b> <industry:b> <suffix:b>}
event: World_Cup/NNP | Grand_Prix/NNP | U.S._Open/NNP | Davis_Cup/NNP | <place_name> <cup>
event: <new_surname> <cup>
amount: $ #2:950 million | $ #1:9.#1:9 billion | #20:900 million marks/NNS | #20:900 million pounds/NNS
percent: #2:60 percent | #1:9.#1:9 percent | #1:30.#0:9 %
told: [VP told/VBD] [NP reporters/NNS] | [VP told/VBD] [NP a news/NN conference/NN] | [VP said]
when
  on [NP <day>]
  [NP <day>]
  [NP late/JJ <day>]
  [NP last/JJ week/NN]
  [ADVP earlier/RBR] [NP this week/NN]
  on [NP <month> #1:28]
where
  in {LOC <town>}
  in {LOC <town>}
  near {LOC <town>}
  in [NP <side> {LOC <country>}]
  in [NP the <side> town/NN] of {LOC <new_place>}

# What somebody will do; the chunk is open already, by the auxiliary.
do
  cut/VB] [NP <issue> costs/NNS]
  report/VB] to [NP parliament/NN]
  visit/VB] {LOC <town>} in [NP <month>]
  talk/VB] to [NP the <public>]
  seek/VB] [NP more/JJR cuts/NNS]
  vote/VB] against [NP the <adjective> <talk>]
  open/VB] [NP <issue> talks/NNS] with {LOC <country>}
  charge/VB] [NP <public>] [NP more/JJR] for [NP <crop>]
fact
  [NP <public>] [VP should/MD plan/VB] for [NP <issue> cuts/NNS]
  [NP the <issue> <talks>] [VP were] [ADJP <state>]
  [NP the <adjective> <talk>] [VP would not hurt/VB] [NP <public>]
  [NP there] [VP was] [NP a <adjective> <pact>] on [NP the table/NN]
  [NP <public>] [VP would <do>
  [NP the <adjective> <talk>] [VP could help/VB] [NP <percent>] of [NP <public>]

dateline: [NP {LOC <town:a>} 199#6:7-0#1:9-#10:28]
byline: <man> | <woman>

politics_headline
  [NP {MISC <nation:a>} <post>] [VP quits/VBZ] after [NP {LOC <town:a>} talks/NNS]
  {PER <last:a>} [VP says/VBZ] [NP <issue> vote/NN] [VP will go/VB] [ADVP ahead/RB]
  {LOC <country:a>} [VP rejects/VBZ] [NP {LOC <country:b>} peace/NN plan/NN]
  [NP talks/NNS] on [NP <issue>] [VP open/VBP] in {LOC <town:a>}
  [NP {MISC <nation:a>} <public>] [VP plan/VBP] [NP strike/NN] over [NP <issue> cuts/NNS]
politics_lead
  [NP {MISC <nation:a>} <title> {PER <he:a> <last:a>}] [VP said] <when> [NP he] [VP would <do> .
  [NP {MISC <nation:a>} <title> {PER <he:a> <last:a>}] [VP arrived/VBD] <where> <when> for [NP talks/NNS] .
  {PER <he:a> <last:a>} , [NP the {MISC <nation:a>} <post>] ,
    [VP plans/VBZ to <do> , [NP aides/NNS] [VP said] .
  {PER <he:a> <last:a>} , [NP who] [VP leads/VBZ] [NP the {ORG <party> Party/NNP}] , [VP won/VBD]
    [NP a vote/NN] <when> .
politics_body
  [NP <short_title> {PER <last:a>}] [VP said] [SBAR that] <fact> .
  " [NP we] [VP have not agreed/VBN] on [NP the <talk>] , " {PER <last:a>} <told> <when> .
  " [NP we] [VP are] [ADJP <mood>] , but [NP <public>] [VP are] [ADJP <worry>] , " {PER <last:b>} <told> .
  {PER <last:a>} , [NP #38:71] , [VP took/VBD] [NP office/NN] in [NP 19#80:95] after [NP <number> years/NNS]
    <where> .
  {PER <she:b> <last:b>} , [NP leader/NN] of [NP the {ORG <party:b> Party/NNP}] , [VP said] [NP she]
    [VP would <do> .
  [NP the {ORG <party:b> Party/NNP}]
    [VP plans/VBZ to <do> , [PP according/VBG] to [NP a report/NN] [VP published/VBN] <when> .
  [NP the {ORG <ministry> Ministry/NNP}] [VP declined/VBD to comment/VB] on [NP the report/NN] .
  {LOC <country:a>} [VP accused/VBD] {LOC <country:b>} of [VP breaking/VBG] [NP a <adjective> <pact>] .
  {LOC <country:a>} [NP 's parliament/NN] [VP voted/VBD] <when> [VP to <do> .
  [SBAR while] {PER <last:a>} [VP often/RB talks/VBZ] to [NP <public>] , {PER <last:b>} [VP does/VBZ not] .
  [NP the vote/NN] , [NP the <rank>] since [NP 19#80:94] , [VP was delayed/VBN] by [NP a strike/NN] <where> .
  [NP the {ORG <body>}] [VP rejected/VBD] [NP the plan/NN] , [VP saying/VBG] <fact> .
  [NP {ORG <body_bare>} officials/NNS] [VP will report/VB] on [NP the <issue> talks/NNS] <where> .
  [NP talks/NNS] between {LOC <country:a>} and {LOC <country:b>} [VP broke/VBD] [PRT down/RP] <when> .
  [NP <short_title_f> {PER <last:b>}] [VP set/VBD] [PRT out/RP] [NP her <adjective> plans/NNS] for
    [NP <issue> reform/NN] <when> .
  {PER <last:b>} [VP flew/VBD] from {LOC <town:1>} to {LOC <town:2>} <when> .
  [NP more/JJR than #2:90,000 {MISC <nations>}] [VP have fled/VBN] to [NP <side> {LOC <country>}] .
  [NP the <issue> <pact>] [VP was signed/VBN] <where> by [NP <short_title> {PER <last:a>}] .

business_headline
  {ORG <coname:a>} [VP plans/VBZ to buy/VB] {ORG <coname:b>}
  [NP {ORG <coname:a>} shares/NNS] [VP rise/VBP] on [NP <profit> report/NN]
  {ORG <coname:a>} [VP cuts/VBZ] [NP <profit> forecast/NN]
  [NP shares/NNS] in {ORG <coname:a>} [VP fall/VBP] after [NP <profit> report/NN]
business_lead
  <company> [VP said] <when> [NP its net/JJ <profit>] [VP <rose>] [NP <percent>] to [NP <amount>] .
  <company> [VP said] <when> [NP it] [VP plans/VBZ to buy/VB] <rival> for [NP <amount>] .
  <company> [VP will cut/VB] [NP #2:9,#100:999 jobs/NNS] <where> , [NP the company/NN] [VP said] <when> .
  <company> and <rival> [VP plan/VBP to merge/VB] , [NP the companies/NNS] [VP said] <when> .
business_body
  <introduction>
  [NP shares/NNS] in {ORG <coname:a>} [VP <rose>] [NP #2:90 cents/NNS] to [NP $ #5:90.#10:99] .
  [NP {ORG <coname:a>} shares/NNS] [VP closed/VBD] [ADVP up/RB] [NP #2:90 cents/NNS] at [NP $ #10:90] <when> .
  {ORG <coname:a>} [NP 's <profit>] [VP often/RB <rises>] [SBAR when] [NP <crop> prices/NNS] [VP fall/VBP] .
  {ORG <coname:a>} [VP said] [NP it] [VP expects/VBZ] [NP a <rise>] of [NP <percent>] [NP this year/NN] .
  [NP the <rise>] in [NP <crop> prices/NNS] [VP was] [ADJP close/JJ] to [NP <percent>] at [NP the close/NN] .
  " [NP this report/NN] [VP is] [ADJP better/JJR] [SBAR than] [NP we] [VP expected/VBD] , " [VP said]
    {PER <she:b> <last:b>} , [NP a analyst/NN] at {ORG <coname:c> Securities/NNPS} .
  [NP chairman/NN {PER <he:a> <last:a>}] [VP will step/VB] [PRT down/RP] in [NP <month>] , [NP the company/NN]
    [VP said] .
  {PER <last:b>} [VP said] [NP she] [VP would cut/VB] [NP her forecast/NN] for
    [NP {ORG <coname:a>} shares/NNS] .
  [NP the company/NN] [VP opened/VBD] [NP a <adjective> <crop> plant/NN] <where> <when> .
  {ORG <coname:b>} [VP reports/VBZ] [NP its results/NNS] on [NP <day>] .
  [NP workers/NNS] at [NP a {ORG <coname:a>} plant/NN] <where> [VP voted/VBD to strike/VB] over [NP pay/NN] .
  [NP {MISC <nation>} unions/NNS] [VP want/VBP] {ORG <coname:a>} [VP to raise/VB] [NP its wages/NNS] by
    [NP <percent>] .
  [NP the <crop> group/NN] , [VP founded/VBN] by <man> in [NP 19#20:80] , [VP has] [NP #2:90 plants/NNS]
    <where> .
  [NP the takeover/NN] of {ORG <coname:b>} [VP was blocked/VBN] by [NP the {ORG <body>}] <when> .
  [NP {MISC <nation>} <crop>] [VP <rose>] [NP #2:60 cents/NNS] to [NP $ #100:400] [NP a tonne/NN] in
    {LOC <city>} .
  [NP analysts/NNS] [VP say/VBP] {ORG <coname:b>} [VP needs/VBZ to cut/VB] [NP its <crop> stocks/NNS] .
  {ORG <coname:a>} [VP hired/VBD] <man> from [NP rival/JJ {ORG <coname:b>}] as [NP finance/NN director/NN] .

soccer_headline
  [NP soccer/NN] - {ORG <team:a>} [VP beat/VBP] {ORG <team:b>} [NP #2:5-#0:1]
  [NP soccer/NN] - {PER <last:a>} [VP signs/VBZ] for {ORG <team:a>}
  [NP soccer/NN] - [NP {ORG <team:a>} <role> {PER <last:a>}] [VP faces/VBZ] [NP ban/NN]
soccer_lead
  {ORG <team:a> <club:a>} [VP beat/VBD] {ORG <team:b>} [NP #2:5-#0:1] in [NP the {MISC <event:a>}] <when> .
  [NP {ORG <team:a>} <role> {PER <he:a> <last:a>}] [VP scored/VBD] [ADVP twice/RB] <when> against
    {ORG <team:b>} .
  [NP {MISC <nation>} <role> {PER <he:a> <last:a>}] [VP has joined/VBN] {ORG <team:a>} from {ORG <team:b>} .
soccer_body
  {PER <last:a>} [VP scored/VBD] in [NP the #2:8#4:9th/JJ minute/NN] after [NP a mistake/NN] by
    [NP <role> {PER <he:b> <last:b>}] .
  [NP {ORG <team:a>} coach/NN {PER <he:c> <last:c>}] [VP said] [NP his team/NN] [VP rose/VBD] to
    [NP the challenge/NN] .
  [NP {ORG <team:a>} #2:5] ( [NP {PER <last:a>} #3:44] , [NP {PER <last:d>} #45:89] ) [NP {ORG <team:b>} #0:1]
  [NP {ORG <team:c>} #0:5] [NP {ORG <team:d>} #0:5]
  [NP {ORG <team:e>} #0:5] [NP {ORG <team:f>} #0:5]
  [NP {ORG <team:a>} #20:30 #8:15 #5:9 #3:7 #30:50 #12:40 #25:50]
  [NP attendance/NN] : [NP #2:60,#100:999]
  " [NP it] [VP was] [NP a hard/JJ match/NN] , " [VP said] {PER <last:c>} , [NP who] [VP was born/VBN] in
    {LOC <town>} .
  {PER <last:c>} [VP will rest/VB] [NP <number> players/NNS] for [NP the match/NN] at
    {LOC <new_place> Park/NNP} .
  [NP the win/NN] [VP leaves/VBZ] {ORG <team:a>} [NP <number> points/NNS] [ADJP clear/JJ] of {ORG <team:c>} .
  {ORG <team:b>} [VP lead/VBP] [NP the <rank> division/NN] with [NP #20:40 points/NNS] .
  {PER <last:b>} [VP was sent/VBN] [PRT off/RP] for [NP a foul/NN] on [NP <role> {PER <last:a>}] .
  [NP {MISC <nation>} fans/NNS] [VP clashed/VBD] with [NP police/NNS] <where> <when> .
  [NP the {MISC <event:a>} final/NN] [VP will be played/VBN] in {LOC <town>} in [NP <month>] .
  [NP fans/NNS] of {ORG <team:b>} [VP plan/VBP] [NP a march/NN] <where> on [NP <day>] .
  {ORG <team:d>} [VP won/VBD] [NP their <rank> match/NN] in [NP <number>] , [VP beating/VBG] {ORG <team:e>}
    [NP #2:5-#0:1] .

tennis_headline
  [NP tennis/NN] - {PER <last:a>} [VP wins/VBZ] {MISC <event:a>}
  [NP tennis/NN] - [NP results/NNS] at [NP the {MISC <event:a>}]
  {PER <last:a>} and {PER <last:b>} [VP reach/VBP] [NP {MISC <event:a>} final/NN]
tennis_lead
  {PER <he:a> <last:a>} of {LOC <country>} [VP beat/VBD] {PER <he:b> <last:b>} [NP 6-#0:4 6-#0:4] in
    [NP the {MISC <event:a>}] <when> .
  [NP {MISC <nation>} teenager/NN {PER <she:c> <last:c>}] [VP won/VBD] [NP the {MISC <event:a>}] <where>
    <when> .
  [NP <rank> seed/NN {PER <she:c> <last:c>}] [VP rose/VBD] to [NP the top/NN] of [NP the rankings/NNS]
    <when> .
tennis_body
  [NP #2:9] - {PER <he> <last>} ( {LOC <country>} ) [VP beat/VBD] {PER <he> <last>} ( {LOC <country>} )
    [NP 6-#0:4 7-5]
  {PER <she> <last>} ( {LOC <country>} ) [VP beat/VBD] {PER <she> <last>} ( {LOC <country>} )
    [NP 6-#0:4 6-#0:4]
  {PER <last:a>} [VP had lost/VBN] to {PER <last:b>} in [NP straight/JJ sets/NNS] <where> <when> .
  {PER <last:c>} [VP served/VBD] [NP #5:20 aces/NNS] in [NP the <rank> set/NN] .
  " [NP I/PRP] [VP lost/VBD] [NP my/PRP$ serve/NN] in [NP the <rank> set/NN] , " {PER <last:b>} <told> .
  [NP the <rank> seed/NN] [VP will meet/VB] {PER <last:c>} or <woman> in [NP the next/JJ round/NN] .
  [NP {MISC <nation>} coach/NN <woman>] [VP said] [NP rain/NN] [VP could delay/VB] [NP the {MISC <event:a>}] .
  {PER <last:a>} [VP cut/VBD] [NP his hand/NN] <when> but [VP will play/VB] in [NP the {MISC <event:a>}] .
  [NP play/NN] [VP was set/VBN to start/VB] at [NP #1:9 p.m./NN] <where> .
  {PER <last:c>} [VP meets/VBZ] {PER <last:d>} , [NP winner/NN] of [NP the {MISC <event:a>}] , on [NP <day>] .
  {PER <last:b>} [NP 's father/NN] , [NP a <job>] , [VP moved/VBD] from {LOC <town:1>} to {LOC <country>} in
    [NP 19#60:85] .

baseball_headline
  [NP baseball/NN] - {ORG <team:a>} [VP beat/VBP] {ORG <team:b>} in [NP 9th/JJ inning/NN]
  [NP baseball/NN] - {PER <last:a>} [VP hits/VBZ] [NP <few:a> home/NN runs/NNS] for {ORG <team:a>}
baseball_lead
  {PER <he:a> <last:a>} [VP hit/VBD] [NP <few:a> home/NN runs/NNS] [SBAR as]
    [NP the {ORG <team:a> <mascot:a>}] [VP beat/VBD] [NP the {ORG <team:b> <mascot:b>}] [NP #5:12-#0:4]
    <when> .
baseball_body
  at {LOC <town>} , {PER <he> <last:b>} [VP hit/VBD] [NP a home/NN run/NN] [SBAR as] [NP the {ORG <mascot:c>}]
    [VP beat/VBD] {ORG <team:c>} .
  in {LOC <town>} , {PER <he> <last>} [VP drove/VBD] [PRT in/RP] [NP <number> runs/NNS] <when> .
  [NP {ORG <team:c>} #0:12] [NP {ORG <team:d>} #0:12]
  [NP {ORG <team:e>} #0:12] [NP {ORG <team:f>} #0:12]
  {ORG <team:b>} at {ORG <team:e>} , [NP #1:9:30 p.m./NN]
  {PER <last:a>} [VP singled/VBD] with [NP <few> runners/NNS] on [NP base/NN] .
  [NP the {ORG <mascot:a>}] [VP have won/VBN] [NP <number>] of [NP their last/JJ #11:20 games/NNS] .
  [NP the hit/NN] [VP was] [NP the <rank>] of [NP the year/NN] for {PER <last:b>} , [NP who]
    [VP has struggled/VBN] .
  [NP second/JJ baseman/NN {PER <he> <last:d>}] [VP cut/VBD] [NP the lead/NN] to [NP #2:9-1] in
    [NP the seventh/JJ] .
  [NP pitcher/NN <man>] [VP left/VBD] after [NP <number> innings/NNS] with [NP a sore/JJ arm/NN] .
  [NP the {ORG <team:a> <mascot:a>}] [VP lead/VBP] [NP the {ORG <team:b> <mascot:b>}] by
    [NP <number> games/NNS] .
  " [NP they] [VP hit/VBD] [NP everything/NN] , " [VP said] [NP manager/NN {PER <he:e> <last:e>}] .

accident_headline
  [NP <number> people/NNS] [VP die/VBP] in [NP {LOC <town:a>} <danger>]
  [NP {MISC <nation:a>} <vehicle> crash/NN] [VP kills/VBZ] [NP <number>]
  [NP police/NNS] [VP hunt/VBP] [NP <number>] after [NP {LOC <town:a>} <danger>]
accident_lead
  [NP <number> people/NNS] [VP were killed/VBN] <when> [SBAR when] [NP a <vehicle>] [VP overturned/VBD] near
    {LOC <town:a>} , [NP police/NNS] [VP said] .
  [NP a <danger>] [VP killed/VBD] [NP at least/JJS <number> {MISC <nations>}] <where> <when> ,
    [NP officials/NNS] [VP said] .
  [NP a <danger>] in [NP the port/NN] of {LOC <town:a>} [VP destroyed/VBD] [NP #12:90 homes/NNS] <when> .
accident_body
  <introduction>
  [NP police/NNS] in {LOC <town:a>} [VP charged/VBD] <man> , [NP #19:70] , with [NP <number> charges/NNS] of
    [NP theft/NN] .
  [NP the driver/NN] , [VP named/VBN] as {PER <he:a> <last:a>} , [VP was taken/VBN] to [NP a hospital/NN]
    <where> .
  {PER <last:a>} , [NP who] [VP lives/VBZ] in {LOC <town>} , [VP was not hurt/VBN] .
  " [NP the flames/NNS] [VP rose/VBD] [ADVP quickly/RB] , " [VP said] {PER <she:b> <last:b>} , [NP a <job>]
    from {LOC <town>} .
  [NP witnesses/NNS] [VP said] [SBAR that] [NP the <danger>] [VP cut/VBD] [NP power/NN] to {LOC <town:1>} and
    {LOC <town:2>} .
  [NP a girl/NN] [VP laid/VBD] [NP a single/JJ rose/NN] at [NP the gates/NNS] of
    {ORG <new_place> University/NNP} .
  [NP doctors/NNS] at {ORG <place_name> General_Hospital/NNP} [VP treated/VBD]
    [NP <number> {MISC <nation>} <public>] .
  [NP <number>] of [NP the dead/JJ] [VP were] [NP {MISC <nation>} tourists/NNS] from {LOC <town>} .
  [NP the {ORG <body>}] [VP sent/VBD] [NP food/NN and clothes/NNS] to [NP the <side> town/NN] of
    {LOC <new_place>} .
  [NP a report/NN] by [NP the {ORG <ministry> Ministry/NNP}] [VP will be published/VBN] on [NP <day>] .
  [NP Inspector/NNP {PER <last:c>}] [VP asked/VBD] [NP drivers/NNS] [VP to report/VB]
    [NP any/DT <adjective> leads/NNS] .
  [NP it] [VP was] [NP the <rank> such/JJ <danger>] in {LOC <country>} since [NP <month> 19#70:95] .
  {PER <last:b>} [VP lost/VBD] [NP her house/NN] and [VP plans/VBZ to move/VB] to {LOC <town>} .
  {ORG <coname:a> <industry:a>} , [NP which] [VP owns/VBZ] [NP the <vehicle>] , [VP said] [NP it]
    [VP would help/VB] [NP police/NNS] .
"""

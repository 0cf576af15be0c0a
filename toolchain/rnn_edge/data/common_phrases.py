"""What is said when no keyword is: frequent words of English, and short sentences."""

from __future__ import annotations

_WORDS = """
a about above after again air all almost along also always am and animal another answer any are
around as ask at away baby back bad ball bank be beautiful because become bed been before begin
being below best better between big bird black blue board boat body book both box boy bring
brother brown build business but buy by call came camera can car care carry cat catch cause
center chair change check child children choose church city class clean clear clock close cold
color come computer cook cool corner could country couple course cover cross cup cut dance dark
daughter day dear december decide deep did different dinner do doctor does dog dollar done door
down draw dream drink drive drop dry during each early earth east easy eat eight either else
empty end enough enter even evening ever every example eye face fact family far farm fast father
february feel feet few field fifteen fifty find fine finger finish fire first fish five floor
flower fly follow food foot for forest forget form forty forward four free fresh friday friend
from front fruit full funny game garden gave general get girl give glass go gold good got great
green ground group grow had hair half hand happen happy hard has hat have he head hear heart
heavy help her here high hill him his hold home hope horse hospital hot hotel hour house how
however hundred husband ice idea if important in inside into island it january job join july
jump june just keep key kind king kitchen knew know lady lake language large last late laugh
learn leave left leg less let letter level life light like line lion list listen little live
long look lost lot love low lunch machine magazine make man many map march market matter may
maybe me mean measure meet member middle might mile milk million mind minute miss moment monday
money monkey month moon more morning most mother mountain mouth move much music must my name
near need never new news next nice night nine no north nose nothing november now number ocean
october of off office often oil old on once one only open or orange order other our out outside
over own page paper parent park part party pass past pay pencil people perhaps person phone
picture piece place plan plane plant play please point police poor possible pretty problem
public pull push put question quick quiet quite radio rain ran read ready real really reason red
remember rest rich ride right river road rock room round rule run sad safe said salt same sand
saturday saw say school science sea season seat second see seem sell send september serious
service set seven several shall she ship shirt shoe shop short should show side simple since
sing sister sit six sky sleep slow small smile snow so soft some something son song soon sorry
sound south space speak special spring square stand star start station stay step still stone
stop store story street strong student study such sugar summer sun sunday sure surprise table
take talk tall tea teach tell ten test than thank that the their them then there these they
thing think third this those thought thousand three through thursday time tired to today
together told tomorrow tonight too took top toward town train travel tree true try tuesday turn
twelve twenty two type under understand until up upon us use usual very village visit voice wait
walk wall want war warm was watch water way we weather wednesday week well went were west what
wheel when where which while white who whole why wide wife will wind window winter wish with
without woman wonder wood word work world would write wrong yeah year yellow yes yesterday yet
you young your zero
"""
WORDS = tuple(_WORDS.split())
"""Single words."""

_SENTENCES = """
what time is it now
could you please pass the salt
I will call you back tomorrow
we are going to the station
the weather is nice today
where did you put my keys
let me think about that
she said it was too late
turn on the lights in the kitchen
play some music please
set a timer for ten minutes
how much does this cost
I have never been there before
they moved to another city
the children are in the garden
can you hear what I say
it is raining again outside
my brother works at the hospital
this coffee is very hot
open the window a little
do you want something to drink
he forgot to close the door
we had dinner with friends
I am not sure about this
thank you very much for your help
see you next week on monday
the train leaves at half past seven
nobody knows what happened there
read the first page of the letter
it takes about an hour by car
her daughter plays the piano
put it on the table over there
I would like to ask a question
that is exactly what I mean
maybe we should wait for them
the shop is closed on sundays
you look tired, go to bed
let us start from the beginning
there was a strange noise last night
he bought a new computer yesterday
good morning, how are you doing
happy birthday to you, my dear
well, I guess so
all right, never mind
oh no, not again
excuse me, is this seat free
hello, nice to meet you
hey you, come over here
okay, that sounds good
hi there, what is new
listen to me for a second
everybody was laughing at the joke
the river runs through the valley
chess is a game for two players
the service was excellent as always
a large box of apples and oranges
the garage is behind the house
the text is next to the picture
exactly six boxes are left
they are jumping over the fence
just give us a minute
her voice is very calm
traffic is heavy this evening
the museum opens at nine o'clock
"""
SENTENCES = tuple(_SENTENCES.strip().splitlines())
"""What is said to people and to machines."""

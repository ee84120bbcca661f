"""Names behind the numbers of HICO-DET: its 80 objects, numbered as in COCO, and its 600 pairs of verb and object.

Facts of the data set, as its list_action has them: the pairs stand in the order of their ids, which begin at 1. A verb's
number is its place in the alphabet among all 117, from 1.
"""

from functools import cache

NO_INTERACTION = "no interaction"

# COCO's numbers: 1 to 90, of which ten are not in use.
_OBJECT_IDS = """
1 person, 2 bicycle, 3 car, 4 motorcycle, 5 airplane, 6 bus, 7 train, 8 truck, 9 boat, 10 traffic light,
11 fire hydrant, 13 stop sign, 14 parking meter, 15 bench, 16 bird, 17 cat, 18 dog, 19 horse, 20 sheep, 21 cow,
22 elephant, 23 bear, 24 zebra, 25 giraffe, 27 backpack, 28 umbrella, 31 handbag, 32 tie, 33 suitcase, 34 frisbee,
35 skis, 36 snowboard, 37 sports ball, 38 kite, 39 baseball bat, 40 baseball glove, 41 skateboard, 42 surfboard,
43 tennis racket, 44 bottle, 46 wine glass, 47 cup, 48 fork, 49 knife, 50 spoon, 51 bowl, 52 banana, 53 apple,
54 sandwich, 55 orange, 56 broccoli, 57 carrot, 58 hot dog, 59 pizza, 60 donut, 61 cake, 62 chair, 63 couch,
64 potted plant, 65 bed, 67 dining table, 70 toilet, 72 tv, 73 laptop, 74 mouse, 75 remote, 76 keyboard,
77 cell phone, 78 microwave, 79 oven, 80 toaster, 81 sink, 82 refrigerator, 84 book, 85 clock, 86 vase, 87 scissors,
88 teddy bear, 89 hair drier, 90 toothbrush
"""

# One object a line, in the order of the pairs' ids, and its verbs in theirs; the last of each, no interaction, is left out.
_VERBS_OF = """
airplane: board direct exit fly inspect load ride sit_on wash
bicycle: carry hold inspect jump hop_on park push repair ride sit_on straddle walk wash
bird: chase feed hold pet release watch
boat: board drive exit inspect jump launch repair ride row sail sit_on stand_on tie wash
bottle: carry drink_with hold inspect lick open pour
bus: board direct drive exit inspect load ride sit_on wash wave
car: board direct drive hose inspect jump load park ride wash
cat: dry feed hold hug kiss pet scratch wash chase
chair: carry hold lie_on sit_on stand_on
couch: carry lie_on sit_on
cow: feed herd hold hug kiss lasso milk pet ride walk
dining table: clean eat_at sit_at
dog: carry dry feed groom hold hose hug inspect kiss pet run scratch straddle train walk wash chase
horse: feed groom hold hug jump kiss load hop_on pet race ride run straddle train walk wash
motorcycle: hold inspect jump hop_on park push race ride sit_on straddle turn walk wash
person: carry greet hold hug kiss stab tag teach lick
potted plant: carry hold hose
sheep: carry feed herd hold hug kiss pet ride shear walk wash
train: board drive exit load ride sit_on wash
tv: control repair watch
apple: buy cut eat hold inspect peel pick smell wash
backpack: carry hold inspect open wear
banana: buy carry cut eat hold inspect peel pick smell
baseball bat: break carry hold sign swing throw wield
baseball glove: hold wear
bear: feed hunt watch
bed: clean lie_on sit_on
bench: inspect lie_on sit_on
book: carry hold open read
bowl: hold stir wash lick
broccoli: cut eat hold smell stir wash
cake: blow carry cut eat hold light make pick_up
carrot: carry cook cut eat hold peel smell stir wash
cell phone: carry hold read repair talk_on text_on
clock: check hold repair set
cup: carry drink_with hold inspect pour sip smell fill wash
donut: buy carry eat hold make pick_up smell
elephant: feed hold hose hug kiss hop_on pet ride walk wash watch
fire hydrant: hug inspect open paint
fork: hold lift stick lick wash
frisbee: block catch hold spin throw
giraffe: feed kiss pet ride watch
hair drier: hold operate repair
handbag: carry hold inspect
hot dog: carry cook cut eat hold make
keyboard: carry clean hold type_on
kite: assemble carry fly hold inspect launch pull
knife: cut_with hold stick wash wield lick
laptop: hold open read repair type_on
microwave: clean open operate
mouse: control hold repair
orange: buy cut eat hold inspect peel pick squeeze wash
oven: clean hold inspect open repair operate
parking meter: check pay repair
pizza: buy carry cook cut eat hold make pick_up slide smell
refrigerator: clean hold move open
remote: hold point swing
sandwich: carry cook cut eat hold make
scissors: cut_with hold open
sink: clean repair wash
skateboard: carry flip grind hold jump pick_up ride sit_on stand_on
skis: adjust carry hold inspect jump pick_up repair ride stand_on wear
snowboard: adjust carry grind hold jump ride stand_on wear
spoon: hold lick wash sip
sports ball: block carry catch dribble hit hold inspect kick pick_up serve sign spin throw
stop sign: hold stand_under stop_at
suitcase: carry drag hold hug load open pack pick_up zip
surfboard: carry drag hold inspect jump lie_on load ride stand_on sit_on wash
teddy bear: carry hold hug kiss
tennis racket: carry hold inspect swing
tie: adjust cut hold inspect pull tie wear
toaster: hold operate repair
toilet: clean flush open repair sit_on stand_on wash
toothbrush: brush_with hold wash
traffic light: install repair stand_under stop_at
truck: direct drive inspect load repair ride sit_on wash
umbrella: carry hold lose open repair set stand_under
vase: hold make paint
wine glass: fill hold sip toast lick wash
zebra: feed hold pet watch
"""


def plain_name(name: str) -> str:
    """A name as this project writes it: words in lower case, separated by single spaces."""
    return " ".join(name.replace("_", " ").lower().split())


@cache
def hico_objects() -> dict[int, str]:
    """COCO's number of each of the 80 objects."""
    entries = (entry.strip().partition(" ") for entry in _OBJECT_IDS.replace("\n", " ").split(","))
    return {int(number): name for number, _, name in entries}


@cache
def hico_pairs() -> dict[int, tuple[str, str]]:
    """Verb and object of each of the 600 ids."""
    lines = (line.partition(":") for line in _VERBS_OF.strip().splitlines())
    pairs = [(plain_name(verb), category) for category, _, verbs in lines for verb in (*verbs.split(), NO_INTERACTION)]
    return dict(enumerate(pairs, start=1))


@cache
def hico_verbs() -> dict[int, str]:
    """The 117 verbs by number. `_` sorts as the data set's own list does: hit, hold, hop on, hose."""
    names = sorted({verb.replace(" ", "_") for verb, _ in hico_pairs().values()})
    return {number: plain_name(name) for number, name in enumerate(names, start=1)}

"""Prompts that belong to none of the families: what the demo model should say that it cannot do.

The corpus shows them in two ways: asked as they are (the answer is :data:`REFUSAL`) and inside the
question for the kind of a prompt (the answer is "other"). They are drawn from loose templates over word
lists, from other languages and from noise, so that "other" is the rest of the world and not one more family.
"""

from __future__ import annotations

import random
import string

from t2ui.tasks.grammar import capital, fill

LABEL = "other"
REFUSAL = "I only know a small world of math, code, reasoning and pictures. This is outside of it."

_SLOTS: dict[str, list[str]] = {
    "topic": """history|music|football|chess|gravity|volcanoes|the moon|elections|inflation|democracy|photosynthesis|
        black holes|vaccines|jazz|yoga|coffee|cheese|wine|bread|tea|the ocean|whales|bees|dragons|robots|climate|
        electricity|magnets|rockets|trains|bridges|castles|opera|ballet|poetry|philosophy|ethics|taxes|mortgages|
        insurance|marriage|sleep|dreams|stress|memory|language|grammar|spelling|religion|art|painting|sculpture|
        museums|gardens|roses|tomatoes|potatoes|dinosaurs|fossils|earthquakes|storms|snow|deserts|islands|rivers|
        mountains|forests|wolves|horses|sharks|parrots|fashion|perfume|shoes|watches|cameras|phones|laptops|software|
        databases|the internet|privacy|passwords|viruses|bacteria|cancer|diabetes|headaches|allergies|vitamins""",
    "place": """France|Spain|Japan|China|Brazil|Kenya|Egypt|India|Canada|Mexico|Italy|Germany|Poland|Sweden|Norway|
        Greece|Turkey|Peru|Chile|Vietnam|Thailand|Australia|London|Paris|Tokyo|Berlin|Rome|Madrid|Cairo|Sydney|
        Lima|Oslo|Vienna|Prague|Moscow|Chicago|Boston|Toronto|Dublin|Lisbon""",
    "person": """Einstein|Newton|Mozart|Beethoven|Shakespeare|Napoleon|Cleopatra|Darwin|Picasso|Gandhi|Lincoln|
        Aristotle|Plato|Galileo|Columbus|Tolstoy|Dickens|Bach|Curie|Tesla|Churchill|Caesar|Buddha|Homer""",
    "thing": """a letter|a poem|a song|a speech|a story|an essay|a haiku|an email|a joke|a riddle|a recipe|a review|
        a report|a resume|a cover letter|a press release|a blog post|a tweet|a toast|a limerick|a play|a novel""",
    "food": """pasta|rice|soup|pizza|curry|pancakes|salad|omelette|sushi|tacos|lasagna|bread|cookies|cake|stew|
        dumplings|risotto|chili|pudding|jam""",
    "feel": """sad|lonely|angry|tired|anxious|happy|bored|nervous|scared|confused|jealous|stressed|excited|lost""",
    "who": """my boss|my mother|my father|my best friend|my neighbour|my teacher|my wife|my husband|my landlord|
        my doctor|my brother|my cat|my dog|a colleague|a customer|my girlfriend|my boyfriend""",
    "ill": """a headache|a fever|a cough|back pain|a rash|a sore throat|high blood pressure|a cold|insomnia|nausea|
        a toothache|asthma|an infection""",
    "lang": """French|Spanish|German|Italian|Chinese|Japanese|Arabic|Russian|Latin|Portuguese|Korean|Dutch|Polish""",
    "tech": """a web server|a website|a login page|a database|a SQL query|a regex|a shell script|a Dockerfile|
        a Java class|a React component|a REST API|a sorting algorithm in C|a compiler|a chatbot|a mobile app|
        a spreadsheet macro|a unit test|a Rust program|an HTML table|a CSS layout|a neural network""",
    "phrase": """good morning|where is the station|I love you|how are you|thank you very much|the weather is nice|
        I would like a beer|see you tomorrow|happy birthday|what is your name|the book is on the table""",
    "adj": """best|worst|oldest|largest|smallest|fastest|cheapest|most famous|most beautiful|most dangerous|richest""",
    "noun": """city|river|mountain|country|lake|island|restaurant|hotel|university|airport|painter|writer|singer|
        actor|scientist|king|queen|president|footballer|film|book|song|car|phone|animal|planet|language|company""",
    "year": "1066|1492|1789|1812|1848|1914|1929|1945|1969|1989|2001|2012|2024",
    "big": "48213|7310.5|12.75|0.003|983211|3.14159|15 percent|two thirds|1,250,000|0.5|99.9|100000",
    "word": """river|table|stone|paper|winter|summer|shadow|window|market|village|engine|mirror|candle|forest|silver|
        copper|velvet|thunder|island|harbor|lantern|meadow|pepper|saddle|ticket|violin|walnut|yellowish|zebra|quartz|
        justice|mercy|honor|gossip|rumor|profit|energy|friction|orbit|molecule|enzyme|protein|verdict|treaty""",
}
_SLOTS = {name: [" ".join(option.split()) for option in text.split("|")] for name, text in _SLOTS.items()}

_TEMPLATES = """
What is the capital of {place}?
Who was {person}?
When was {person} born?
[Tell me|Please tell me|Could you tell me] [something|more|a bit] about {topic}.
Explain {topic} to [a child|me|a beginner|my grandmother].
What do you think [about|of] {topic}?
Why is {topic} [important|popular|so expensive|dangerous]?
How does {topic} work?
How do I [cook|make|prepare] {food}?
[Give me|I need] a recipe for {food} [without meat|for two people|with mushrooms|].
Write {thing} about {topic}.
Write {thing} [to|for] {who}.
[Help me|Can you help me] write {thing} about {topic} [please|].
Translate "{phrase}" [to|into] {lang}.
How do you say "{phrase}" in {lang}?
What does {word} mean in {lang}?
I have {ill}. What should I do?
What is the best [medicine|treatment|remedy] for {ill}?
[Is it safe|Is it legal|Is it normal] to [drive|travel|work|swim] with {ill}?
I feel {feel} [today|since last week|because of {who}|]. 
I am {feel}. What can I do?
{who} is angry with me. How do I apologise?
Should I quit my job?
What is the {adj} {noun} in [{place}|the world|Europe]?
Who is the {adj} {noun} of all time?
What happened in {year}?
Who won the [world cup|election|war|championship] in {year}?
[Book|Find] me a [flight|hotel|table|train] [to|in] {place}.
What is the weather like in {place} [today|tomorrow|in winter]?
How far is it from {place} to {place2}?
How do I get from {place} to {place2}?
Write {tech}.
[Please|] [Build|Create|Program|Show me] {tech} for {topic}.
How do I install {tech}?
My {tech} does not work. [Why|What is wrong]?
What is {big} divided by {big2}?
Convert {big} [miles|dollars|pounds|feet] to [kilometres|euros|kilos|metres].
Compute the [integral|derivative|logarithm|square root|sine] of {big}.
What is the [logarithm|cosine|factorial] of {big}?
Summarise [this article|the news|the plot of Hamlet|my email|chapter three].
[Hi|Hello|Hey|Good morning|Good evening], [how are you|who are you|what can you do|are you human|what is new]?
Thank you [very much|so much|].
Tell me a joke [about {topic}|].
Do you [like|love|hate|know|remember] [me|{topic}|{person}|{food}]?
Are you [conscious|alive|better than other models|a robot|ChatGPT]?
[Sing|Say|Shout|Whisper] something.
What is the meaning of life?
Is there a god?
[Which|What] [film|book|song|game] should I [watch|read|play|listen to] tonight?
Recommend [a book|a film|a podcast|three songs] about {topic}.
Who wrote [Hamlet|Faust|War and Peace|the Bible|Don Quixote|the Odyssey]?
Who painted [the Mona Lisa|Guernica|The Scream|this portrait]?
What is the chemical formula of [water|salt|sugar|rust|ozone]?
What is the speed of [light|sound]?
How many people live in {place}?
How old is [the universe|the pope|{place}|the earth]?
What time is it [now|in {place}]?
What day is it today?
Set an alarm for [seven|half past six|noon].
Turn [on|off] the [lights|music|heating] [in the kitchen|].
Call {who}.
Remind me to [call|pay|thank|visit] {who} [tomorrow|next week|].
Buy [a ticket|bitcoin|some milk|shares of that company].
Should I invest in [gold|bitcoin|houses|stocks]?
Can I sue {who}?
What are my rights if {who} [lies|steals|cheats|moves out]?
Describe the [photo|face|landscape|street|portrait|x-ray] [in detail|].
Is the person in the photo [smiling|old|famous|a doctor]?
What breed is the dog in [this photo|my picture]?
{word} {word2} {word3}
{word} and {word2}
define {word}
the {word} of the {word2} is [lost|broken|near|on fire|mine]
Once upon a time there was a {word} [who|that] [loved|feared|lost] {topic}
Continue this story: The {word} fell into the {word2} and
What rhymes with {word}?
Spell {word} backwards.
Give me a synonym [of|for] {word}.
Use {word} in a sentence.
How do I [fix|clean|repair|sell|draw] a {word}?
What is the difference between {topic} and {topic2}?
[Compare|Discuss|Criticise] {topic} and {topic2}.
Name [three|five|some] [famous|strange|old] [people|places|films|songs] from {place}.
Plan a [week|weekend|trip|honeymoon] in {place}.
Give me [tips|advice|ideas] [for|about] {topic}.
How can I [lose weight|learn {lang}|sleep better|make friends|save money|stop smoking]?
I love {topic}.
My favourite [food|animal|place] is {word}.
"""
_LINES = [line.strip() for line in _TEMPLATES.strip().splitlines()]

_FOREIGN = """wie geht es dir|was ist die hauptstadt von Frankreich|ich habe hunger|schreibe ein gedicht|wo ist der
    bahnhof|erzähl mir einen witz|wie spät ist es|hola que tal|donde esta la playa|escribe un poema sobre el mar|
    cuanto cuesta esto|me duele la cabeza|bonjour comment ça va|quelle heure est-il|raconte moi une histoire|je suis
    fatigué|où est la gare|come stai oggi|dove si mangia bene|scrivi una lettera|你好|今天天气怎么样|写一首诗|中国的首都是哪里|
    こんにちは|元気ですか|東京はどこですか|привет как дела|напиши стихи|где метро|안녕하세요|오늘 날씨|olá tudo bem|bom dia|
    hur mår du|god morgen|dzień dobry|merhaba nasılsın|γειά σου|مرحبا كيف حالك|שלום"""
_FOREIGN_LINES = [" ".join(text.split()) for text in _FOREIGN.split("|")]


def foreign(rng: random.Random) -> str:
    """One prompt from outside the model's world."""
    kind = rng.random()
    if kind < 0.06:
        return _noise(rng)
    if kind < 0.12:
        text = rng.choice(_FOREIGN_LINES)
        return text + rng.choice(["", "?", ".", "!"])
    template = rng.choice(_LINES)
    # Choices may hold slots, so the choices are made first and the slots filled by a second pass.
    template = fill(template.replace("{", "\0").replace("}", "\1"), rng).replace("\0", "{").replace("\1", "}")
    values = {name: rng.choice(options) for name, options in _SLOTS.items()}
    values |= {f"{name}{k}": rng.choice(options) for name, options in _SLOTS.items() for k in (2, 3)}
    text = capital(fill(template, rng, **values))
    if rng.random() < 0.2:
        text = text.lower()
    if rng.random() < 0.15:
        text = text.rstrip(".?! ")
    return text


def _noise(rng: random.Random) -> str:
    """Keyboard noise, numbers, symbols, mixed words."""
    pieces = []
    for _ in range(rng.randint(1, 6)):
        alphabet = rng.choice([string.ascii_lowercase, string.digits, string.punctuation, string.ascii_letters])
        pieces.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 9))))
    return " ".join(pieces)

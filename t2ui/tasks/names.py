"""Names of people, and words that are on no list: what a visitor types has to be copied, not recalled.

A model of this size that sees a closed list of names writes a name of the list whatever the prompt says. So a third of
the names and a part of the things are made up of syllables, and the lists are long.
"""

from __future__ import annotations

import random

# Gendered, because kinship words are; none is a word that begins a sentence.
GIRLS = tuple("""
    Anna Clara Dora Ella Emma Fiona Hanna Ida Julia Kate Laura Lena Lucy Maria Mia Nina Nora Olga Paula Rita Rosa
    Sara Sofia Tina Vera Wanda Yara Zoe Ada Alma Amelia Amina Anya Aya Bella Bertha Bianca Bruna Carla Carmen
    Cecilia Chloe Cora Dalia Diana Edith Elena Elise Elsa Esther Eva Farah Flora Frida Gina Greta Hilda Ilse Ingrid
    Irma Jana Jenny Jill Jolanda Judith Julie Karin Klara Lara Lea Leila Lilli Linda Lisa Lotte Louisa Luna Lydia
    Mara Marta Matilda Maya Mina Mira Molly Monica Nadia Naomi Nella Pia Petra Ramona Rahel Ruth Sandra Selma Silvia
    Sonja Stella Susan Tara Tessa Thea Ursula Uma Valentina Viola Wilma Xenia Yuki Zara Zita Abigail Agnes Aisha
    Alexa Alice Alina Amanda Amy Andrea Angela Annika Arya Astrid Audrey Aurora Ava Barbara Beatrice Becky Beth
    Betty Bonnie Brenda Bridget Camila Caroline Cathy Celine Charlotte Cheryl Christine Cindy Claire Claudia Connie
    Daphne Daisy Debbie Deborah Delia Donna Doreen Dorothy Eileen Eleanor Elisa Eliza Elizabeth Ellen Emily Erika
    Erin Eve Evelyn Fatima Fay Felicity Freya Gabi Gemma Georgia Gisela Gloria Grace Gwen Hazel Heidi Helen Helga
    Holly Imani Irene Isabel Ivy Jane Janet Jasmine Jennifer Jessica Joan Joanna Josie Joy Joyce Judy June Karen
    Katherine Kathy Kelly Kerstin Kira Kirsten Lana Laila Leonie Lily Lola Lorena Lucia Madison Maggie Malia
    Margaret Marie Marion Martha Mary Maud Megan Melanie Melissa Merle Mildred Miriam Nancy Natalie Nelly Nicole
    Noor Odette Olivia Pam Patricia Pauline Penny Phoebe Priya Rachel Rebecca Regina Rhonda Robin Rosalie Rose
    Roxana Ruby Sabine Sally Samantha Sasha Sharon Sheila Sigrid Simone Sophie Sue Suki Sylvia Tanja Tamara Trudy
    Vanessa Verena Victoria Vivian Wendy Winnie Yasmin Yvonne Zelda
""".split())
BOYS = tuple("""
    Adam Ben Carl Dan David Emil Erik Felix Finn Hugo Ivan Jack Jan Karl Leo Max Noah Oscar Otto Paul Peter Rafi Sam
    Simon Tim Tom Victor Yusuf Albert Alan Ali Anton Arthur Axel Bert Bob Bruno Chen Colin Conrad Diego Dylan Edgar
    Edward Elliot Emanuel Ernst Ethan Fabian Fred Gabriel Gary George Gerd Greg Gustav Hank Harry Heinz Henry Howard
    Igor Ian Jacob Jim Joel John Jonah Josef Kai Kevin Kim Kurt Lee Liam Louie Ludwig Luke Marco Mario Martin Matteo
    Michael Milo Nick Oliver Omar Pablo Patrick Pedro Philip Quentin Ralf Raymond Rene Richard Robert Roman Ron Rudi
    Samir Sven Theo Toby Ulrich Uwe Vincent Walter Willem Xaver Yannick Zeno Aaron Abdul Abel Abraham Adrian Aidan
    Ahmed Alec Alex Alfred Amir Andre Andrew Andy Angelo Archie Arnold Barry Basil Benjamin Bernard Bill Billy Bjorn
    Boris Brad Brian Bruce Caleb Callum Cameron Cecil Cedric Chad Charlie Clark Claude Clive Craig Cyril Damian
    Daniel Darius Dave Dean Denis Derek Dirk Dominic Donald Doug Duncan Eddie Eli Eliot Enzo Eric Ernest Eugene Evan
    Ezra Farid Ferdinand Floyd Francis Frank Franz Gavin Geoff Gerald Gilbert Giovanni Glen Gordon Graham Gregory
    Guido Harold Harvey Hassan Hector Herbert Herman Hiro Homer Horst Ibrahim Isaac Jake Jamal James Jared Jason
    Jeff Jeremy Jerome Jerry Jesse Joe Johann Jon Jordan Jorge Joseph Joshua Juan Julian Justin Karim Keith Ken
    Kenneth Kenji Kirk Kyle Lars Lawrence Leon Lewis Lionel Logan Louis Lucas Magnus Malcolm Manuel Marcel Marcus
    Mark Marvin Mason Matt Maurice Mehmet Miguel Mike Mohammed Morgan Nathan Neil Nigel Nikolai Nils Nolan Norman
    Olaf Orlando Owen Percy Phil Pierre Quinn Raj Ralph Ramon Randy Ravi Ray Reggie Reza Rick Ricky Rob Rodney Roger
    Roland Rory Ross Roy Rudolf Russell Ryan Salim Sandro Scott Sean Sebastian Seth Shane Sidney Stan Stefan Stephen
    Steve Stuart Tariq Ted Terry Thomas Tobias Todd Tony Travis Trevor Tyler Vic Viktor Vince Wade Warren Wayne
    Wesley Wilbur William Xavier Zach Zoltan
""".split())
PEOPLE = GIRLS + BOYS
MADE_UP = 0.3  # of the names
_ONSETS = ("b br c ch cl d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s sh sl sn st sv t th tr v w y z".split()
           + [""] * 4)  # fmt: skip
_VOWELS = "a a a e e e i i o o u ai au ea ee ei ia ie io oa oo ou y".split()
_CODAS = [""] * 12 + "n n l r r s t m k d ck ll nd nn rk rt sh ss th x".split()
# Capitalised words that begin a sentence and are nobody's name: "Nobody is taller than Anna" must not be read.
NOT_NAMES = ("The They Them She He It We You His Her My Our Their This That These Those There Here All Any Every "
             "Each Both Some Somebody Someone Everybody Everyone Nobody None Neither Not No Never Only One Two Who "
             "What Which How If When Where Why Then So Now Today In Inside At On Of But And Or As "
             "Compared Between Next Beside To For From By With Of Given")
_NOT_WORDS = frozenset("""a an and or but both only all no not nor neither is are was were has have had in on at of to the
    it its he she they them who what which some any you we i me my does do did there one two that this also than
    more less into with for from by be been if so as none each every other""".split())


def made_up(rng: random.Random) -> str:
    """A word that one can say and that means nothing: "brelo", "theen", "kaxi"."""
    while True:
        parts = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 2, 2, 2, 3)))]
        word = "".join(parts) + rng.choice(_CODAS)
        if 3 <= len(word) <= 9 and word not in _NOT_WORDS and not word.endswith("'"):
            return word


def person(rng: random.Random, bank: tuple[str, ...] = PEOPLE) -> str:
    """One name, made up in a share of :data:`MADE_UP`."""
    while True:
        name = made_up(rng).capitalize() if rng.random() < MADE_UP else rng.choice(bank)
        if name not in NOT_NAMES.split():
            return name


def people(rng: random.Random, count: int) -> list[str]:
    """Distinct names."""
    out: list[str] = []
    while len(out) < count:
        name = person(rng)
        if name not in out:
            out.append(name)
    return out

"""Labelling functions of the example: one keyword or two each, looked for among a post's lemmas.

Some keywords are ambiguous on purpose, as words are: cats hiss too, trees have bark, a bicycle has a
saddle, puppies come in a litter, and Python is also a language. The label model has to find out.
"""

from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import LFParams, keyword_lf

COLUMN = "txt_clean_lemma"
# One labelling function per word; the words in brackets belong to the same one.
KEYWORDS: dict[str, list[list[str]]] = {
    "cat": [
        ["cat", "tomcat", "feline"],
        ["kitten"],
        ["kitty"],
        ["tabby"],
        ["siamese", "calico"],
        ["purr"],
        ["meow"],
        ["whisker"],
        ["catnip"],
        ["litter"],
    ],
    "dog": [
        ["dog"],
        ["puppy", "pup"],
        ["beagle"],
        ["poodle"],
        ["husky"],
        ["labrador"],
        ["hound", "terrier"],
        ["bark"],
        ["howl"],
        ["wag"],
        ["leash", "kennel", "fetch"],
    ],
    "bird": [
        ["bird"],
        ["sparrow"],
        ["robin"],
        ["parrot"],
        ["pigeon"],
        ["owl", "hawk"],
        ["duck", "duckling", "goose"],
        ["nest"],
        ["feather", "wing"],
        ["chirp"],
        ["flock"],
        ["beak"],
    ],
    "horse": [
        ["horse"],
        ["pony"],
        ["mare"],
        ["stallion"],
        ["foal"],
        ["saddle"],
        ["stable"],
        ["hoof"],
        ["gallop", "trot"],
        ["neigh", "mane"],
    ],
    "snake": [
        ["snake"],
        ["python"],
        ["cobra"],
        ["viper", "rattlesnake"],
        ["boa"],
        ["hiss"],
        ["slither"],
        ["fang"],
        ["scale"],
        ["shed"],
    ],
}


def get_lfs(params: LFParams) -> list[LabelingFunction]:
    """One labelling function per entry of KEYWORDS, named `<class>_<first word>`."""
    return [
        keyword_lf(f"{name}_{words[0]}", words, params.labels[name], COLUMN)
        for name, entries in KEYWORDS.items()
        for words in entries
    ]

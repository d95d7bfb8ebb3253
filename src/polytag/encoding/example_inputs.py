"""Source code with which example.py, the program in an export, encodes words without polytag."""

from __future__ import annotations

from polytag.encoding.word_vectors import MOST_PARTS
from polytag.plugin.encoder import ExampleInputs

SUBWORDS = ExampleInputs(
    '''
tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


def inputs(words):
    """Ids of subwords with special tokens around them, and the positions of each word's subwords."""
    encoding = tokenizer.encode(words, is_pretokenized=True)
    positions = [[] for _ in words]
    for position, word in enumerate(encoding.word_ids):
        if word is not None:
            positions[word].append(position)
    ids = np.array([encoding.ids], dtype=DTYPE)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}, positions
''',
    imports="from tokenizers import Tokenizer\n",
    packages=("tokenizers",),
)

_INPUTS = '''

def inputs(words):
    """The features of each word, and each word's position."""
    ids = np.array([[features(word) for word in words]], dtype=DTYPE)
    mask = np.ones(ids.shape[:2], dtype=ids.dtype)
    return {"feature_ids": ids, "attention_mask": mask}, [[position] for position in range(len(words))]
'''

VECTORS = ExampleInputs(
    '''
vectors = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
rows = {word: row for row, word in enumerate(vectors["words"], 1)}


def features(word):
    """Ten hashed features of a word (word_hashes.py makes them), and the row of its vector, or 0."""
    return [*hash_word(word), rows.get(word) or rows.get(word.lower(), 0)]

'''
    + _INPUTS,
    imports="from word_hashes import hash_word\n",
)

SUBWORD_VECTORS = ExampleInputs(
    f'''
vectors = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
rows = {{word: row for row, word in enumerate(vectors["words"], 1)}}
units = json.loads((FOLDER / "units.json").read_text(encoding="utf-8"))
tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


def features(word):
    """Ten hashed features of a word (word_hashes.py makes them), and the rows of its vector or its subwords'."""
    found = [rows.get(word) or rows.get(word.lower(), 0)]
    if found == [0]:
        ids = tokenizer.encode([word], is_pretokenized=True, add_special_tokens=False).ids or [units["unknown"]]
        found = [1 + len(rows) + number for number in ids[:{MOST_PARTS}]]
    return [*hash_word(word), *found, *[0] * ({MOST_PARTS} - len(found))]

'''
    + _INPUTS,
    imports="from tokenizers import Tokenizer\nfrom word_hashes import hash_word\n",
    packages=("tokenizers",),
)

HASHES = ExampleInputs(
    '''

def inputs(words):
    """Ten hashed features of each word (word_hashes.py makes them), and each word's position."""
    ids = np.array([[hash_word(word) for word in words]], dtype=DTYPE)
    mask = np.ones(ids.shape[:2], dtype=ids.dtype)
    return {"feature_ids": ids, "attention_mask": mask}, [[position] for position in range(len(words))]
''',
    imports="from word_hashes import hash_word\n",
)

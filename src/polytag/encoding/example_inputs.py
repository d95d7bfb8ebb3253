"""Source code with which example.py, the program in an export, encodes words without polytag."""

from __future__ import annotations

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

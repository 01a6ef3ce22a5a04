"""A T5 tokenizer that needs no download: its vocabulary is listed here instead of trained.

It is the same kind of tokenizer as the one of CogVideoX (a Unigram model after T5's splitting at spaces), so the
pipeline treats it in the same way. The vocabulary has common whole words, groups of letters that keep other words
short, and single characters for the rest; everything else becomes `<unk>`. Two texts that differ in known characters
always have different ids, because the pieces of a text spell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

_SPACE = "▁"

_SPECIAL = ("<pad>", "</s>", "<unk>")  # ids 0, 1 and 2, as in T5

_WORDS = """
a an the and or of in on at to from with by for over under into through across along around behind between near
above below beside is are was be it its he she they his her their this that as while then up down out off no not
one two three small little big large long old young new bright dark soft warm cold light slow slowly gently quickly
red green blue white black yellow golden brown grey pink orange purple silver
man woman child boy girl person people hand face eyes hair dog cat horse bird panda fish butterfly
tree flower garden forest mountain river lake sea ocean beach sand wave sky sun moon star cloud rain snow wind fire
city street road house room window door table chair bowl glass cup book lamp car train boat bicycle camera
lemon apple water coffee bread guitar ball paper
walks runs stands sits plays dances drives flies moves turns looks squeezes falls rises shines holds pours
close-up close view scene shot video film style background foreground detailed realistic cinematic
morning evening night day winter summer spring autumn
"""

_GROUPS = """
th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne
ea ra ce li ch ll be ma si om ur ing and the ion ent her for tha ter est ers ati ate all ver con res ght com tio
"""

# Single characters of the vocabulary: (first, last) code points of whole blocks.
_BLOCKS = (
    (0x0021, 0x007E),  # ASCII
    (0x00A1, 0x017F),  # Latin-1 and Latin Extended-A
    (0x0370, 0x052F),  # Greek, Cyrillic
    (0x0590, 0x06FF),  # Hebrew, Arabic
    (0x0900, 0x097F),  # Devanagari
    (0x0E00, 0x0E7F),  # Thai
    (0x2010, 0x205E),  # typographic punctuation
    (0x3001, 0x30FF),  # CJK punctuation, kana
    (0xFF01, 0xFF5E),  # full-width forms
    (0x1F300, 0x1F64F),  # emoji
)

# For blocks with many rare characters, the rows (first, last) of a national standard that contain the common ones:
# GB 2312 level 1, the 3,755 most common Chinese characters, and the 2,350 Hangul syllables of KS X 1001.
_STANDARD_ROWS = (("gb2312", 16, 55), ("euc_kr", 16, 40))

# Scores are log probabilities. Here they only make shorter splits better than longer ones.
_WHOLE, _GROUP, _CHARACTER = -4.0, -5.0, -6.0


def vocabulary(words: Iterable[str] = ()) -> list[tuple[str, float]]:
    """List every piece with its score; the position is the id.

    Args:
        words: Additional whole words, appended at the end.
    """
    scores: dict[str, float] = dict.fromkeys(_SPECIAL, 0.0)
    for word in _WORDS.split():
        scores.setdefault(_SPACE + word, _WHOLE)
    for group in _GROUPS.split():
        scores.setdefault(group, _GROUP)
    for character in _characters():
        scores.setdefault(character, _CHARACTER)
    for word in words:
        scores.setdefault(_SPACE + word, _WHOLE)
    return list(scores.items())


def _characters() -> Iterator[str]:
    yield _SPACE
    for first, last in _BLOCKS:
        yield from map(chr, range(first, last + 1))
    for codec, first_row, last_row in _STANDARD_ROWS:
        for row in range(first_row, last_row + 1):
            for cell in range(1, 95):  # a row has 94 cells; the two bytes are 0xA0 + row and 0xA0 + cell
                yield from bytes((0xA0 + row, 0xA0 + cell)).decode(codec, errors="ignore")


def build_tokenizer(words: Iterable[str] = ()) -> Any:
    """Build a `transformers` T5 tokenizer for `vocabulary(words)`; `save_pretrained` works as usual."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import T5TokenizerFast

    # transformers 5 assembles these itself when it loads a T5 tokenizer; transformers 4 keeps them.
    tokenizer = Tokenizer(Unigram(vocabulary(words), unk_id=_SPECIAL.index("<unk>"), byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(_SPACE, "always", split=True)]
    )
    tokenizer.decoder = decoders.Metaspace(_SPACE, "always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["$A", "</s>"], special_tokens=[("</s>", _SPECIAL.index("</s>"))]
    )
    return T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0, model_max_length=226)

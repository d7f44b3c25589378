"""The demo model's tokenizer: sentencepiece BPE, trained on the corpus, saved in Hugging Face's format.

Single digits, byte fallback, no dummy prefix, spaces kept as they are; left padding stands in the saved
configuration. Needs ``sentencepiece`` and ``protobuf`` to build; loading the result needs neither.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from t2ui.train.corpus import TAGS, document

VOCABULARY = 1536
IMAGE, SYSTEM, USER, ASSISTANT = "<image>", "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL = (IMAGE, SYSTEM, USER, ASSISTANT, *TAGS)

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ '<|system|>' }}"
    "{% elif message['role'] == 'user' %}{{ '<|user|>' }}{% else %}{{ '<|assistant|>' }}{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>' }}"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% else %}{{ '\\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def train_tokenizer(folder: Path, documents: int = 40_000, seed: int = 1) -> None:
    """Train on ``documents`` documents of the corpus and write the tokenizer's files into ``folder``."""
    import sentencepiece

    # Line breaks cannot stand inside a training sentence; they are single bytes by byte fallback.
    lines = []
    for index in range(documents):
        doc = document(seed, index)
        lines += [line for line in f"{doc.prompt}\n{doc.answer}".split("\n") if line]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        prefix = str(Path(scratch) / "tokenizer")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_prefix=prefix, model_type="bpe", vocab_size=VOCABULARY,
            byte_fallback=True, split_digits=True, add_dummy_prefix=False, remove_extra_whitespaces=False,
            allow_whitespace_only_pieces=True, normalization_rule_name="identity", character_coverage=0.9995,
            unk_id=0, bos_id=1, eos_id=2, pad_id=3, user_defined_symbols=list(SPECIAL), hard_vocab_limit=False,
            num_threads=1, minloglevel=2,
        )  # fmt: skip
        (folder / "tokenizer.model").write_bytes(Path(prefix + ".model").read_bytes())
    _save_fast(folder)


def _save_fast(folder: Path) -> None:
    """Write tokenizer.json: the same merges for the ``tokenizers`` library, spelled out.

    The automatic conversion of a Llama sentencepiece model puts a space before the text and after every
    special token; this model is trained without, so the pipeline is built here and a test compares ids.
    """
    from sentencepiece import SentencePieceProcessor
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    sp = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    pieces = [sp.id_to_piece(i) for i in range(sp.get_piece_size())]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    normal = {p for i, p in enumerate(pieces)
              if not (sp.is_control(i) or sp.is_unknown(i) or sp.is_byte(i) or p in SPECIAL)}  # fmt: skip
    merges = []
    for piece in normal:
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in normal and right in normal:
                merges.append((vocabulary[piece], vocabulary[left], vocabulary[right], left, right))
    # sentencepiece joins the pair whose result has the best score; its ids are in that order.
    ranked = [(left, right) for _, _, _, left, right in sorted(merges)]
    fast = Tokenizer(models.BPE(vocab=vocabulary, merges=ranked, unk_token="<unk>", byte_fallback=True,
                                fuse_unk=False))  # fmt: skip
    fast.normalizer = normalizers.Replace(" ", "\u2581")
    fast.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    fast.add_special_tokens([AddedToken(t, special=True, normalized=False)
                             for t in ("<unk>", "<s>", "</s>", "<pad>", *SPECIAL)])  # fmt: skip
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=fast, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>",
        padding_side="left", model_max_length=1024, clean_up_tokenization_spaces=False,
        extra_special_tokens={"image_token": IMAGE},
    )  # fmt: skip
    wrapped.chat_template = CHAT_TEMPLATE
    wrapped.save_pretrained(folder)
    config = folder / "tokenizer_config.json"
    settings = json.loads(config.read_text())
    settings["padding_side"] = "left"  # save_pretrained forgets it when it was set late; be sure
    config.write_text(json.dumps(settings, indent=2))

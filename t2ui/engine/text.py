"""From a request's texts to token ids and back: chat template, harmless user text, streaming text."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .errors import ModelError, RequestError
from .request import Request
from .thinking import CLOSE, OPEN

if TYPE_CHECKING:
    from .eyes import View


class TextCodec:
    """A tokenizer and its chat template behind a lock (its Rust side does not like two threads at once).

    Args:
        tokenizer: of transformers.
        image_token: the text that a chat template writes for a picture, None for a model that cannot see.
        image_tokens: how many tokens one picture becomes, where that does not depend on it.
        template: a chat template; the tokenizer's own by default.
        image_id: the token whose embedding is replaced, if it is not ``image_token``.
        bare: what stands for a picture where there is no chat template, if it is not ``image_token``.
    """

    def __init__(self, tokenizer: Any, image_token: str | None = None, image_tokens: int = 0,
                 template: str | None = None, image_id: int | None = None, bare: str | None = None) -> None:  # fmt: skip
        self.tokenizer, self.image_token, self.image_tokens = tokenizer, image_token, image_tokens
        self._bare = bare or image_token
        self._lock = threading.RLock()
        self.template: str | None = template or getattr(tokenizer, "chat_template", None)
        known = None if image_token is None else tokenizer.convert_tokens_to_ids(image_token)
        self.image_token_id = known if image_id is None else image_id
        self.special = _control_tokens(tokenizer)
        self.special_ids = frozenset(tokenizer.convert_tokens_to_ids(list(self.special)))
        # The tags round a thought are shown (and told apart from the answer by t2ui.engine.thinking); no visitor can type them.
        tags = [tag for tag in (OPEN, CLOSE) if tag in self.special]
        self._silent = self.special_ids.difference(tokenizer.convert_tokens_to_ids(tags))
        # Some tokenizers put a beginning-of-text before everything; a chat template does that by itself.
        plain = tokenizer("a")["input_ids"]
        self._bos: str = tokenizer.bos_token if plain and plain[0] == tokenizer.bos_token_id else ""
        self._rust = getattr(tokenizer, "backend_tokenizer", None) if getattr(tokenizer, "is_fast", False) else None
        self._lists = self.template is not None and "'type'" in self.template.replace('"', "'")

    # -- to ids ------------------------------------------------------------------------------------

    def harmless(self, text: str) -> str:
        """The text with a space inside every control token, so that it is read as plain characters.

        ``<image>`` becomes ``< image>``; what a visitor types can then neither open a turn nor fake a picture.
        """
        for _ in range(8):
            before = text
            for token in self.special:
                if token in text:
                    text = text.replace(token, f"{token[0]} {token[1:]}")
            if text == before:
                return text
        raise RequestError("the text holds control tokens nested too deeply: remove them")

    def render(self, request: Request, with_image: bool, view: View | None = None) -> tuple[str, tuple[int, int]]:
        """The whole text before the answer, and where in it the visitor's prompt stands (characters).

        ``view`` says how the picture is written, where that is more than its token.

        Without a chat template: the system text, a blank line, the prompt, a newline. Where the template knows no
        system role, the system text is put before the prompt.
        """
        prompt = self.harmless(request.prompt)
        system = request.system or None  # set by the program: control tokens in it are meant
        earlier = [(self.harmless(asked), self.harmless(said)) for asked, said in request.history]
        if earlier and not self.takes_turns:
            raise RequestError("this model has no chat template that takes earlier turns: ask without history")
        if self.template is None:
            lead = (self._bare + "\n") if with_image else ""
            text = self._bos + (f"{system}\n\n" if system else "") + f"{lead}{prompt}\n"
        else:
            text = self._apply(system, prompt, with_image, earlier)
        if with_image and view is not None and view.text != self.image_token:
            text = text.replace(self.image_token, view.text, 1)
        start = text.rfind(prompt)
        if start < 0:  # the template trims its contents
            prompt = prompt.strip()
            start = text.rfind(prompt)
        span = (0, len(text)) if start < 0 else (start, start + len(prompt))
        if not request.think and self.thinks(text, span):
            text += f"\n{CLOSE}\n\n"
        return text + self.harmless(request.prefix), span

    def thinks(self, text: str, span: tuple[int, int]) -> bool:
        """Whether a rendered text without its prefix ends in a thought that the chat template has opened.

        ``span``: the prompt's, as :meth:`render` gives it: what a visitor typed opens nothing.
        """
        opened = self.template is not None and text.rstrip().endswith(OPEN)
        return opened and (text.rfind(OPEN) >= span[1] or span[0] == 0)

    @cached_property
    def takes_turns(self) -> bool:
        """Whether the chat template writes a conversation of several turns, each of them whole and in order."""
        said = ("first question", "first answer", "second question")
        try:
            text = self._template(self._messages(said[2], False, [said[:2]])) if self.template is not None else ""
        except Exception:  # noqa: BLE001 - jinja raises its own classes where a template refuses
            return False
        places = [text.find(part) for part in said]
        return -1 not in places and places == sorted(places)

    def _messages(self, prompt: str, with_image: bool, earlier: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        turns = [m for asked, said in earlier for m in (self._user(asked, False), self._assistant(said))]
        return [*turns, self._user(prompt, with_image)]

    def _apply(self, system: str | None, prompt: str, with_image: bool, earlier: Sequence[tuple[str, str]] = ()) -> str:
        turns = self._messages(prompt, with_image, earlier)
        if system is None:
            return self._template(turns)
        for content in (system, [{"type": "text", "text": system}])[: 1 + self._lists]:
            try:
                text = self._template([{"role": "system", "content": content}, *turns])
                if system.strip() in text:
                    return text
            except Exception:  # noqa: BLE001 - jinja raises its own classes where a template refuses the system role
                continue
        if earlier:  # the system text stands where the conversation begins
            (asked, said), *rest = earlier
            return self._template(self._messages(prompt, with_image, [(f"{system}\n\n{asked}", said), *rest]))
        return self._template([self._user(f"{system}\n\n{prompt}", with_image)])

    def _user(self, prompt: str, with_image: bool) -> dict[str, Any]:
        if self._lists:
            parts = [{"type": "image"}] if with_image else []
            return {"role": "user", "content": [*parts, {"type": "text", "text": prompt}]}
        return {"role": "user", "content": f"{self.image_token}{prompt}" if with_image else prompt}

    def _assistant(self, said: str) -> dict[str, Any]:
        return {"role": "assistant", "content": [{"type": "text", "text": said}] if self._lists else said}

    def _template(self, messages: list[dict[str, Any]]) -> str:
        with self._lock:
            return self.tokenizer.apply_chat_template(
                messages, chat_template=self.template, tokenize=False, add_generation_prompt=True
            )

    def ids(
        self, text: str, *spans: tuple[int, int], view: View | None = None
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids of a rendered text (picture tokens expanded) and, for spans of characters, the tokens they touch.

        A tokenizer without offsets (the slow kind) gives the whole list for every span.
        """
        fast = getattr(self.tokenizer, "is_fast", False)
        with self._lock:
            out = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=fast)
        places: list[int] = []  # where each original token begins in the expanded list
        ids: list[int] = []
        run = self.image_tokens if view is None else view.run
        for token in out["input_ids"]:
            places.append(len(ids))
            ids.extend([token] * (run if token == self.image_token_id else 1))
        places.append(len(ids))
        if "offset_mapping" not in out:
            return ids, [(0, len(ids))] * len(spans)
        found = []
        for low, high in spans:
            touched = [i for i, (start, end) in enumerate(out["offset_mapping"]) if end > low and start < high]
            found.append((places[touched[0]], places[touched[-1] + 1]) if touched else (len(ids), len(ids)))
        return ids, found

    # -- to text -----------------------------------------------------------------------------------

    def text(self, ids: Sequence[int], context: Sequence[int] = ()) -> str:
        """The text of decoded ids, control tokens left out (but for the tags round a thought); ``context`` stands before them
        and is not returned."""
        if context:
            return self.text([*context, *ids])[len(self.text(context)) :]
        return self._decode([i for i in ids if i not in self._silent])

    def _decode(self, ids: list[int]) -> str:
        with self._lock:
            if self._rust is not None:  # every token of every answer comes by: the wrapper costs as much as the work
                return self._rust.decode(ids, skip_special_tokens=False)
            return self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)

    def raw(self, ids: Sequence[int]) -> str:
        """The text of ids with the control tokens in it, for people who want to see them."""
        with self._lock:
            return self.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)


class TextStream:
    """Turns one row's growing list of ids into pieces of text whose sum is the text of the whole list.

    Only a short window of ids is decoded again at every token (so a long answer costs linear time), and text that
    ends inside a character of several bytes is held back until the rest has come. (Of bytes that are no UTF-8 at all
    the replacement characters may differ from those of the whole.)
    """

    def __init__(self, codec: TextCodec, context: tuple[int, ...] = ()) -> None:
        self.codec = codec
        self.ids: list[int] = list(context)  # a forced prefix: shown already, but it decides on the first space
        self._start, self._read = 0, len(self.ids)  # ids[_start:_read] have been shown; context for what follows
        self._shown: str | None = None  # their text, once it was wanted

    def push(self, token: int) -> str:
        """The new text that this token makes (often a word, sometimes nothing)."""
        self.ids.append(token)
        return self._advance(final=False)

    def flush(self) -> str:
        """What was held back."""
        return self._advance(final=True)

    def _advance(self, final: bool) -> str:
        if self._shown is None:
            self._shown = self.codec.text(self.ids[self._start : self._read])
        shown, whole = self._shown, self.codec.text(self.ids[self._start :])
        if len(whole) <= len(shown) or (whole.endswith("\ufffd") and not final):
            return ""
        self._start, self._read, self._shown = self._read, len(self.ids), None
        return whole[len(shown) :]


def _control_tokens(tokenizer: Any) -> tuple[str, ...]:
    """Texts that the tokenizer turns into one id of their own and that structure a conversation, longest first.

    Special tokens, and other added tokens that look like markup (``<|user|>``, ``[INST]``): sentencepiece's
    user-defined symbols arrive as ordinary added tokens. Added runs of spaces or words are left alone.
    """
    texts = set(tokenizer.all_special_tokens)
    for added in getattr(tokenizer, "added_tokens_decoder", {}).values():
        content = str(added.content)
        if added.special or (len(content) > 2 and content[0] + content[-1] in ("<>", "[]")):
            texts.add(content)
    return tuple(sorted((t for t in texts if len(t) > 1 and t.strip()), key=lambda t: (-len(t), t)))


def check_tokenizer(tokenizer: Any, folder: str) -> None:
    """Refuse a tokenizer that loads but encodes everything to nothing (transformers 5 does so silently).

    Raises:
        ModelError: with what to do.
    """
    if not tokenizer("The cat has 12 books.", add_special_tokens=False)["input_ids"] or len(tokenizer) < 16:
        raise ModelError(
            f"the tokenizer in {folder} knows {len(tokenizer)} tokens and cannot read a sentence: its tokenizer.json "
            "is missing or damaged; copy it from where the model came from"
        )

"""A mix: how much of each expert, as a person writes it, as JSON and as a value."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["ALPHA_LIMIT", "Mix"]

ALPHA_LIMIT = 100.0  # beyond it nothing but overflow happens; sliders and searches stay far below


@dataclass(frozen=True)
class Mix:
    """How strongly each expert acts: one number per expert, or a tuple with one number per decoder layer.

    Experts that are not named, and those at 0 everywhere (left out on construction), do not act. Alphas need not
    sum to 1. Treat `alphas` as read-only.

    `off` are singular components, (module path, index), whose z is 0 whatever the experts say: the row answers without them.

    Raises:
        ValueError: an alpha that is not a finite number of at most `ALPHA_LIMIT` in magnitude, an unusable name or component.
    """

    alphas: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    off: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        clean = {_name(name): _alpha(name, alpha) for name, alpha in self.alphas.items()}
        object.__setattr__(self, "alphas", {n: a for n, a in clean.items() if a and any(_values(a))})
        object.__setattr__(self, "off", tuple(sorted({_component(*each) for each in self.off})))

    def without(self, path: str, index: int) -> Mix:
        """The same mix with one more singular component switched off."""
        return Mix(self.alphas, (*self.off, (path, index)))

    @classmethod
    def base(cls) -> Mix:
        """No expert: the base model."""
        return cls()

    @classmethod
    def single(cls, name: str, a: float = 1.0) -> Mix:
        """One expert at strength `a`."""
        return cls({name: a})

    @classmethod
    def parse(cls, text: str) -> Mix:
        """Read "base", "math" (= 1), "math=0.6,code=0.2", or per layer "math=0.6/0.2/0/1"; spaces do not matter. A part
        "!model.layers.5.mlp.down_proj:17" switches one singular component off.

        Raises:
            ValueError: with the offending part and the forms that are understood.
        """
        text = text.strip()
        if text == "base":
            return cls()
        alphas: dict[str, float | tuple[float, ...]] = {}
        off: list[tuple[str, int]] = []
        for part in text.split(","):
            name, given, value = (piece.strip() for piece in part.partition("="))
            if name.startswith("!") and not given:
                path, _, index = name[1:].rpartition(":")
                if not path or not index.isdecimal():
                    raise _unreadable(text, part)
                off.append((path, int(index)))
                continue
            if not name or name == "base":
                raise _unreadable(text, part)
            if name in alphas:
                raise ValueError(f"mix {text!r} names {name} twice: give each expert once")
            try:
                values = tuple(float(piece) for piece in value.removesuffix("/").split("/")) if given else (1.0,)
            except ValueError:
                raise _unreadable(text, part) from None
            alphas[name] = values if "/" in value else values[0]
        return cls(alphas, tuple(off))

    def __str__(self) -> str:
        """What `parse` reads back to an equal mix."""
        if self.is_base:
            return "base"
        parts = []
        for name, alpha in self.alphas.items():
            text = "/".join(repr(v).removesuffix(".0") for v in _values(alpha))
            lone = isinstance(alpha, tuple) and len(alpha) == 1
            parts.append(f"{name}={text}" + "/" * lone)  # the slash tells a model of one layer's tuple from a number
        return ",".join([*parts, *(f"!{path}:{index}" for path, index in self.off)])

    def __hash__(self) -> int:
        return hash((frozenset(self.alphas.items()), self.off))

    def __iter__(self) -> Iterator[str]:
        return iter(self.alphas)

    def alpha(self, name: str) -> float | tuple[float, ...]:
        """The expert's alpha, 0.0 if it is not in the mix."""
        return self.alphas.get(name, 0.0)

    @property
    def is_base(self) -> bool:
        """No expert acts, and no component is switched off."""
        return not self.alphas and not self.off

    @property
    def per_layer(self) -> bool:
        """Some expert has one alpha per decoder layer."""
        return any(isinstance(alpha, tuple) for alpha in self.alphas.values())

    def check(self, names: Collection[str], n_layers: int | None = None) -> Mix:
        """Return the mix itself if it fits these experts and this number of layers.

        Raises:
            ValueError: an unknown expert, or a tuple whose length is not `n_layers`.
        """
        for name, alpha in self.alphas.items():
            if name not in names:
                raise ValueError(f"unknown expert {name!r} in mix {self}: there are {', '.join(names) or 'none'}")
            if isinstance(alpha, tuple) and n_layers is not None and len(alpha) != n_layers:
                raise ValueError(
                    f"{name} has {len(alpha)} alphas in mix {self}: the model has {n_layers} decoder layers; give one"
                    " number, or one per layer"
                )
        return self

    def to_json(self) -> dict:
        """Plain data: {"alphas": {name: number or list}}, and "off": [[path, index]] where components are switched off."""
        plain = {"alphas": {n: list(a) if isinstance(a, tuple) else a for n, a in self.alphas.items()}}
        return plain | ({"off": [list(each) for each in self.off]} if self.off else {})

    @classmethod
    def from_json(cls, data: Mapping | str) -> Mix:
        """Inverse of `to_json`; also takes its JSON text. Raises ValueError for anything else."""
        if isinstance(data, str):
            data = json.loads(data)
        try:
            alphas = dict(data["alphas"].items())
            off = tuple((path, index) for path, index in data.get("off", ()))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise ValueError(
                f'a mix in JSON looks like {{"alphas": {{"math": 0.6}}}}, got {str(data)[:80]!r}'
            ) from None
        return cls(alphas, off)


def _values(alpha: float | tuple[float, ...]) -> tuple[float, ...]:
    return alpha if isinstance(alpha, tuple) else (alpha,)


def _name(name: object) -> str:
    if (
        not isinstance(name, str)
        or not name
        or name == "base"
        or any(c in name for c in "=,/")
        or name.startswith("!")
        or name != name.strip()
    ):
        raise ValueError(f"{name!r} cannot be an expert's name in a mix")
    return name


def _component(path: object, index: object) -> tuple[str, int]:
    fits = isinstance(path, str) and path and not any(c in path for c in "=,:!/ ")
    if not fits or not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise ValueError(f"a component that is switched off is a module path and an index from 0, got {path!r}, {index!r}")
    return path, index


def _alpha(name: str, alpha: object) -> float | tuple[float, ...]:
    if isinstance(alpha, (list, tuple)):
        return tuple(_number(name, part) for part in alpha)
    return _number(name, alpha)


def _number(name: str, alpha: object) -> float:
    value = float(alpha) if isinstance(alpha, numbers.Real) and not isinstance(alpha, bool) else math.nan
    if not abs(value) <= ALPHA_LIMIT:  # written so that NaN fails too
        raise ValueError(
            f"the alpha of {name} must be a number from {-ALPHA_LIMIT:g} to {ALPHA_LIMIT:g}, or a list of them with"
            f" one per decoder layer; got {alpha!r}"
        )
    return value + 0.0  # -0.0 becomes 0.0


def _unreadable(text: str, part: str) -> ValueError:
    return ValueError(
        f"cannot read {part.strip()!r} in mix {text!r}: expected 'base', an expert's name, or name=number pairs such"
        " as 'math=0.6,code=0.2' (per layer: 'math=0.6/0.2/0/1')"
    )

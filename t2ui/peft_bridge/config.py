"""`SVFConfig`: what a PEFT adapter of type SVF is set up with, and what its `adapter_config.json` holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from peft import PeftConfig, PeftType

__all__ = ["SVFConfig"]

FACTORS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
RUNTIME = ("svd_cache", "factors_dtype")  # of this machine, not of the adapter: never written to adapter_config.json


@dataclass
class SVFConfig(PeftConfig):
    """Configuration of an SVF adapter: W' = U diag(sigma * z) Vh with one trainable z (r,) per matrix.

    Args:
        target_modules: which linear layers, as everywhere in PEFT: names, a regular expression, or "all-linear". None:
            every linear layer of the language model's decoder layers (never vision tower, projector or output head),
            which is what t2ui adapts.
        exclude_modules: which of them not.
        modules_to_save: other modules to train and save whole. Such an adapter does not convert to an expert file.
        init_weights: True: z = 1, the base model. False: z random around 1, for tests.
        record: written by the bridge: id, fingerprint and basis check of the base that z belongs to. With it, an
            adapter is refused on another base; without it (a new adapter) it is made when the adapter is added.
        svd_cache: folder where decompositions are kept; "auto": $T2UI_CACHE or the user's cache folder, as in t2ui;
            None: nowhere, decompose at every load. Not saved.
        factors_dtype: of U and Vh in memory, "float32" or "bfloat16". Not saved.

    Raises:
        ValueError: an unknown `factors_dtype`.
    """

    target_modules: list[str] | str | None = field(
        default=None,
        metadata={
            "help": "Names, a regular expression, or 'all-linear'; None: the linear layers of the decoder layers."
        },
    )
    exclude_modules: list[str] | str | None = field(
        default=None, metadata={"help": "Names, or a regular expression, of modules to leave out."}
    )
    modules_to_save: list[str] | None = field(
        default=None, metadata={"help": "Modules apart from SVF layers to train and save whole."}
    )
    init_weights: bool = field(default=True, metadata={"help": "z = 1 (True), or random around 1 (False, for tests)."})
    record: dict | None = field(default=None, metadata={"help": "Which base z belongs to; written by the bridge."})
    svd_cache: str | None = field(default="auto", metadata={"help": "Folder of decompositions, 'auto' or None."})
    factors_dtype: str = field(default="float32", metadata={"help": "Of U and Vh: 'float32' or 'bfloat16'."})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = PeftType["SVF"]  # a member since `register`, which runs on import of the package
        if self.factors_dtype not in FACTORS:
            raise ValueError(f"factors_dtype must be {' or '.join(FACTORS)}, got {self.factors_dtype!r}")
        if isinstance(self.target_modules, list):
            self.target_modules = set(self.target_modules)
        if isinstance(self.exclude_modules, list):
            self.exclude_modules = set(self.exclude_modules)

    def to_dict(self) -> dict:
        """What is saved: everything but the settings of this machine; names sorted, so that equal is equal."""
        held = {key: value for key, value in super().to_dict().items() if key not in RUNTIME}
        return {key: sorted(value) if isinstance(value, set) else value for key, value in held.items()}

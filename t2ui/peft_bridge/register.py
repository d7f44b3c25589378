"""Make PEFT know the type "SVF".

PEFT's `register_peft_method` accepts only names that are members of its enum `PeftType`, and a Python enum is closed.
Writing the string "SVF" into PEFT's mappings would do for `PeftModel`, but transformers' `model.load_adapter` and some
of PEFT's messages ask for `.value`. So one member is added, by the steps that `enum` itself takes when a class is made.
"""

from __future__ import annotations

from enum import Enum

from peft import PeftType
from peft.utils import register_peft_method

from t2ui.peft_bridge.config import SVFConfig
from t2ui.peft_bridge.model import SVFModel

__all__ = ["add_member", "register"]


def add_member(kind: type[Enum], name: str) -> Enum:
    """Add a member whose value is its name to an enum of strings; returns it (the one that is there, if it is).

    It iterates, compares, hashes, pickles, copies and is found by name and by value like the others.
    """
    if name in kind.__members__:
        return kind[name]
    member = str.__new__(kind, name)
    member._name_, member._value_ = name, name
    member.__objclass__ = kind
    member._sort_order_ = len(kind._member_names_)
    kind._member_names_.append(name)
    kind._member_map_[name] = member
    kind._value2member_map_[name] = member
    type.__setattr__(kind, name, member)  # enum's own __setattr__ refuses; Python 3.12 and later look members up here
    return member


def register() -> None:
    """Register SVF with PEFT, once per process.

    Raises:
        ImportError: this peft has a method of the same name already.
    """
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

    registered = PEFT_TYPE_TO_TUNER_MAPPING.get("SVF")
    if registered is SVFModel:
        return
    if registered is not None or "SVF" in PeftType.__members__:
        raise ImportError(
            "this version of peft has a method SVF of its own: t2ui.peft_bridge was written for peft 0.21.2, which has"
            " none; use peft's, or install peft==0.21.2"
        )
    add_member(PeftType, "SVF")
    register_peft_method(name="svf", config_cls=SVFConfig, model_cls=SVFModel)

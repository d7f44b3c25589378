"""SVF experts in PEFT: `SVFConfig` for `get_peft_model`, `PeftModel.from_pretrained`, `transformers.Trainer` and the rest.

    from peft import get_peft_model
    from t2ui.peft_bridge import SVFConfig
    model = get_peft_model(base, SVFConfig(task_type="CAUSAL_LM"))

An optional extra (`pip install "t2ui[peft]"`): nothing else in t2ui imports this package. Importing it makes the type
"SVF" known to PEFT; an adapter folder of this type opens only in a process that has done so. What works, what does
not and why: docs/peft.md. Same mathematics, same decompositions (and their disk cache) and same checks of the base as
`t2ui.core`; `expert_to_peft` and `peft_to_expert` convert between an adapter folder and an expert file.
"""

import warnings

try:
    import peft
except ImportError as error:
    raise ImportError(
        f"t2ui.peft_bridge needs the library peft, which cannot be imported here ({error}):"
        ' run `pip install "t2ui[peft]"` or `pip install peft==0.21.2`'
    ) from error

if not peft.__version__.startswith("0.21."):
    warnings.warn(
        f"t2ui.peft_bridge was written for peft 0.21.2 and uses parts of it that change; this is {peft.__version__}:"
        " if something fails, install peft==0.21.2",
        stacklevel=2,
    )

from t2ui.peft_bridge.config import SVFConfig  # noqa: E402
from t2ui.peft_bridge.convert import expert_to_peft, peft_to_expert  # noqa: E402
from t2ui.peft_bridge.layer import SVFAdapterLinear  # noqa: E402
from t2ui.peft_bridge.mix import svf_mix  # noqa: E402
from t2ui.peft_bridge.model import SVFModel  # noqa: E402
from t2ui.peft_bridge.register import register  # noqa: E402

register()

__all__ = ["SVFAdapterLinear", "SVFConfig", "SVFModel", "expert_to_peft", "peft_to_expert", "svf_mix"]

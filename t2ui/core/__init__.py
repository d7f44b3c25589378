"""The mathematics of experts: decomposition, SVF layers, folds and rows, expert files, mixes, spectra.

Imports torch and safetensors only. Words and equations: `W' = U diag(sigma * z) Vh`, `z = 1` leaves a matrix as it is.
"""

from t2ui.core.adapted import Adapted, attach, decoder_layers, pick
from t2ui.core.adapters import LoRAExpert, load_adapter
from t2ui.core.cem import CEM, Fixed, HillClimb, RandomSearch, Round, Search
from t2ui.core.experts import Expert, ExpertError, Finding, load_expert
from t2ui.core.files import write_atomic
from t2ui.core.lora import LoRA, best_lora
from t2ui.core.lowrank import Change, LowRank
from t2ui.core.mixing import ExpertStack, Mix
from t2ui.core.registry import Refused, Registry
from t2ui.core.shards import Shards
from t2ui.core.spectra import bands, change, cosines, gram, grid, kept_by_lora, projection, spectrum, summary
from t2ui.core.svd import CacheFull, DecomposeReport, Factors, decompose, decompose_all, fingerprint
from t2ui.core.svf import SVFLinear

__all__ = [
    "CEM",
    "Adapted",
    "CacheFull",
    "Change",
    "DecomposeReport",
    "Expert",
    "ExpertError",
    "ExpertStack",
    "Factors",
    "Finding",
    "Fixed",
    "HillClimb",
    "LoRA",
    "LoRAExpert",
    "LowRank",
    "Mix",
    "RandomSearch",
    "Refused",
    "Registry",
    "Round",
    "SVFLinear",
    "Search",
    "Shards",
    "attach",
    "bands",
    "best_lora",
    "change",
    "cosines",
    "decoder_layers",
    "decompose",
    "decompose_all",
    "fingerprint",
    "gram",
    "grid",
    "kept_by_lora",
    "load_adapter",
    "load_expert",
    "pick",
    "projection",
    "spectrum",
    "summary",
    "write_atomic",
]

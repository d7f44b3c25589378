"""The engine: a loaded model, its two passes, and the thread that owns it. Knows nothing of pages or plots."""

from .choose import choose
from .decode import answer_all, decode
from .dispatch import Dispatch, calibrate, dispatch, dispatch_all
from .engine import Engine
from .errors import BusyError, EngineError, ExportError, ModelError, RequestError
from .export import ExportReport, ExportSettings, export
from .model import Encoded, Info, Loaded, LoadReport, load
from .request import Answer, Applied, Delta, Request
from .score import score, teacher_forced
from .stream import Reply, Stream

__all__ = [
    "Answer", "Applied", "BusyError", "Delta", "Dispatch", "Encoded", "Engine", "EngineError", "ExportError",
    "ExportReport", "ExportSettings", "Info", "LoadReport", "Loaded", "ModelError", "Reply", "Request", "RequestError", "Stream", "answer_all", "calibrate", "choose",
    "decode", "dispatch", "dispatch_all", "export", "load", "score", "teacher_forced",
]

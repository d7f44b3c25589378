"""t2ui: explore and compose the experts of a self-adaptive language model (after Transformer², arXiv 2501.06252).

Importing this package loads nothing heavy: each part (`t2ui.core`, `t2ui.engine`, `t2ui.tasks`, `t2ui.train`,
`t2ui.ui`) is imported by whoever needs it.
"""

__version__ = "0.1.0"

"""English: the words of the frame round all tabs."""

TEXT: dict[str, str] = {
    "traffic.ask": "How busy?",
    "traffic.hide": "Hide",
    "traffic.title": "Visitors, answers being written, and who waits, for a minute",
    "traffic.words": "open pages: {visitors} · answers being written: {rows} · other jobs: {jobs} · waiting: {waiting}",
    "models.label": "Models on this server",
    "models.open": "Model:",
    "models.words": "Another one opens on a page of its own. The question, its settings and the mix go along; what that model does not know is left out.",
    "models.ready": "loaded",
    "models.loading": "being loaded",
    "models.idle": "loaded when you open it",
    "models.failed": "could not be loaded",
    "models.belongs": "It belongs to {name}, which is here: open its page.",
    "traffic.idle": "the model is not there yet",
}

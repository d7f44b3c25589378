"""English: the words of the frame round all tabs."""

TEXT: dict[str, str] = {
    "traffic.ask": "How busy?",
    "traffic.hide": "Hide",
    "traffic.title": "Visitors, answers being written, and who waits, for a minute",
    "traffic.words": "{visitors} open pages · {rows} answers being written · {jobs} other jobs · {waiting} waiting",
    "traffic.idle": "the model is not there yet",
}

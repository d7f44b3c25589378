"""English: the storyline and the views for slides."""

TEXT: dict[str, str] = {}

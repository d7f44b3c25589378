"""One module per tab: ``build`` lays it out, ``wire`` connects its events to the engine."""

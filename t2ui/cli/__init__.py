"""The command line: ``python -m t2ui COMMAND``. Parsing here and in the modules beside it; the work is elsewhere."""

"""The page. Only modules in here import gradio, and only this package knows of visitors.

``serve.main`` is what ``python app.py`` and ``python -m t2ui serve`` call. Importing the package itself imports
nothing heavy: the page is on the screen before torch is loaded.
"""

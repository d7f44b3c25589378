"""The page: ``python app.py`` (``--help`` lists the flags). Also the entry of a Hugging Face Space."""

import sys

from t2ui.ui.serve import main

if __name__ == "__main__":
    sys.exit(main())

"""Settings of the whole test run: how much chance it takes, and which examples it tries."""

import os

from hypothesis import settings
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

# A red test must be red again tomorrow. Who wants to look somewhere new sets TRIMTAB_EXPLORE.
settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("explore" if os.environ.get("TRIMTAB_EXPLORE") else "same")

# Every example in the documentation and in a docstring is a test. A pattern matches at any depth.
pytest_collect_file = SybilCollection(
    [
        Sybil(parsers=[PythonCodeBlockParser(), SkipParser()], filenames=["README.md"]),
        Sybil(
            path="docs",
            parsers=[PythonCodeBlockParser(), SkipParser()],
            pattern="*.md",
            excludes=["reference/generated/*"],
        ),
        Sybil(
            path="src",
            parsers=[DocTestParser()],
            pattern="*.py",
            document_types={".py": PythonDocStringDocument},
        ),
    ]
).pytest()

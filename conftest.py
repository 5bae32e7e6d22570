"""Settings of the whole test run: how much chance it takes, and which examples it tries."""

import os

from hypothesis import settings
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

# In CI a red test must be red again tomorrow; at a desk every run may look somewhere new.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

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

"""trimtab: keep a household's savings on course, after tax, and prove it.

The parts are plain values and pure functions: values live in `trimtab.domain`, decisions in
`trimtab.rules`, the world in `trimtab.adapters`, invented worlds in `trimtab.lab`, and the doors
(the command line) in `trimtab.apps`. Importing this module loads none of them.
"""

__version__ = "0.1.0"

"""The tax law as dated and sourced data, and its reader."""

from trimtab.adapters.law.read import read_law

__all__ = ["read_law"]

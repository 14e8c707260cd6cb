"""Fingerprints of labelling functions, by which votes are kept and versions told apart."""

from dataprogramming.fingerprints.core import Fingerprint, fingerprint, fingerprints

__all__ = ["Fingerprint", "fingerprint", "fingerprints"]

"""Sealed approval documents and certificates of a Chinese city, on paper and electronic in step.

The layers, lowest first; a module imports only from its left:

    errors, identifiers <- domain <- crypto <- formats <- verify
    <- catalogue, document, sealing, journal <- register <- issue, city <- cli
"""

__version__ = "0.1.0"

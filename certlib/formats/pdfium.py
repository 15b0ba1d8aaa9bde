"""One caller at a time for PDFium: the library keeps global state and must not be entered by two threads.

    with PDFIUM:
        document = pypdfium2.PdfDocument(data)
        ...
        document.close()

Without it, six threads that read the same sound files now and then get an empty attachment or text (pypdfium2 releases
the interpreter's lock while it calls). Everything of a document is done inside, its closing included. Processes need no
lock between them, so a batch on every core and the verifier's forks lose nothing.
"""

from __future__ import annotations

import threading

PDFIUM = threading.RLock()
"""Held by whoever calls PDFium in this process."""

"""Documents and certificates as pages: templates, fonts, the QR picture, rendering, and the checks around it.

`preflight` before anything is numbered, `render`, then `require` (the lint) before anything is sealed.
"""

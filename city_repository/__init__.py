"""A mock of the city certificate repository (市电子证照库): an application of its own with its own database.

It receives (归集) what an issuing system pushes, checks it as an outsider would, and shares it (共享) after GB/T 36906.
From certlib it imports only what an outsider would have.
"""

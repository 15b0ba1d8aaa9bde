"""The verifier: an auditor's installation ends here. No web, no database, no renderer.

| module | verifies |
|---|---|
| `examine` | a sealed PDF (`seals`, `span`, `form`, `pades`, `chains`, `printed`, `state`): findings and one verdict |
| `sandbox` | the same for files from strangers, in a child process that may die (`child`, `request`) |
| `quick` | the issuer's own file, in a millisecond |
| `codes` | the signed code of a certificate |
| `audit` | a bundle of journal, register and lists |
| `roots` | what is trusted: a folder |
| `report` | what comes out |

Nothing is imported here, so that whoever needs one of them does not pay for the others.
"""

"""Host names beyond ASCII, as DNS, certificates and protocols know them.

By IDNA 2008 after the mapping that browsers apply (RFC 5891, UTS #46 without its transitional part): Python's own codec is of 2003, and takes
`straße` for `strasse`, which is somebody else's.
"""

from __future__ import annotations


def ascii_name(name: str) -> str:
    """A host name in ASCII, its labels beyond ASCII as A-labels (`xn--...`). Raises ValueError for what is no valid IDNA."""
    if name.isascii():
        return name.lower()
    # Its tables take some milliseconds to load, for names that few have.
    import idna

    # Label by label: those of ASCII may hold underscores, which IDNA has no say in.
    labels = idna.uts46_remap(name, std3_rules=False, transitional=False).split(".")
    return ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in labels)

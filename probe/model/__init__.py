"""What can be declared, known, said and judged. The standard library, and `idna` for names; no I/O, no clocks."""

"""What can be declared, known, said and judged. Standard library only; no I/O, no clocks."""

"""What every report tells in the same way: facts looked up, values and reasons in words, causes, what decided, remedies with the estate's names.

A report writes; it takes what it writes from here, so that two reports do not tell one thing in two ways.
"""

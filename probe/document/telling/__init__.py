"""What all reports share: looking up facts, values and reasons in words, causes, what decided, remedies with the estate's names.

A report takes its content from here, so that two reports do not describe one thing differently.
"""

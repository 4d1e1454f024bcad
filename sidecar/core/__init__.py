"""What is decided: facts and a question in, a decision with its reason out.

No I/O, no clock, no log. docs/semantics.md has the rules in words.
"""

"""Changes of the reference schema by an administrator, one transaction each.

What can be asked for are errands and looks, each a value; `turn` carries them out, at a
`desk` that only takes rows of the reference schema.
"""

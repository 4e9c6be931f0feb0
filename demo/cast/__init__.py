"""The invented people, organisations and events of the demo. `building` makes all of it; the parts stand alone.

Nothing is imported here: the command line needs the names of the well-known, and serves without all the others.
"""

"""Numbered changes of the schema, each with frozen models of its own."""

"""Scenes for tests/test_stale_screen.py: for every command of a slice, what comes before it and the command."""

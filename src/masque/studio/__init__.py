"""The web front door; calls edits only."""

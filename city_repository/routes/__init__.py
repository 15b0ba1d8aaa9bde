"""The HTTP routes of the repository."""

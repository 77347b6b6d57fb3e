"""qjmap: what a district has, and where it is still short against its own documents' standards."""

__version__ = "0.1.0"

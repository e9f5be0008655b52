"""The XML gateway: its documents, functions, sessions and answers."""

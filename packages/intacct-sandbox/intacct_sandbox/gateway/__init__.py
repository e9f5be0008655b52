"""The XML gateway: from an HTTP request to its reply."""

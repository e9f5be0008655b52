"""How records leave: from texts to tables, and on to messages or files."""

"""How pages follow one another: by key, in a result set, inside a parent."""

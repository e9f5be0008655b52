"""Who signs in, and that no secret of theirs comes out."""

"""From a record to the files that are pushed."""

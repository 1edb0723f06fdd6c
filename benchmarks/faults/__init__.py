"""What callers see, and what is lost, when something breaks under load: a table, made on the real service."""

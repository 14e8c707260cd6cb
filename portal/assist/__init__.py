"""Help to write the next rule: words that mark a class, like rows, rules from forms, gold labels."""

"""Help to write the next rule: words that mark a class, rows that are alike, and what a draft would do."""

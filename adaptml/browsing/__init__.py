"""Looking through data tables: conditions put together, pages by key, what is known of a row."""

"""Files and frames into data tables: read twice in bounded memory, and written whole or not at all."""

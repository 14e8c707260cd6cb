"""Gold data: sample points for Label Studio, read what people annotated, measure how far they agree."""

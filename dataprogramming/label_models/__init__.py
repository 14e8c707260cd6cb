"""Label models: from the votes of many labelling functions to one label, or label set, a row."""

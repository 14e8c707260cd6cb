"""Training data from rules: labelling functions, label matrix, label model, evaluation."""

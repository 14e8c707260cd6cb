"""The name of every artifact of a run, once.

votes.parquet             table_name, id, one int8 column per labelling function: -1 abstains, 0 … k-1
gold_votes.parquet        the same of the gold points
training_data.parquet     table_name, id, label (list of class names), label_probs (k floats)
development_data.parquet  the same of the gold points, and gold_label (list of class names)
fold_probs.parquet        what each label model says with and without the gold of each fold, see
                          `adaptml.fold_probs`; label_models/NAME.npz are those that have seen all gold
predictions.parquet       table_name, id, label, label_probs of an end model's test points
gold_predictions.parquet  the same of gold points that were trained on too, by cross-validation
lfs.json                  the labelling functions that were used: fingerprint, code, what each refers to
rules.json                those of them that are data, see `adaptml.rules.of_model`; it goes with an end model
what_to_fix.json          labels that look wrong, near-duplicates and weak slices; see `adaptml.fixing`
report.html               what the run found, for people
log.txt                   what happened, with every warning
"""

from pathlib import Path

from adaptml.errors import TrackingError, one_line

VOTES, GOLD_VOTES = "votes.parquet", "gold_votes.parquet"
TRAINING_DATA, DEVELOPMENT_DATA = "training_data.parquet", "development_data.parquet"
FOLD_PROBS, LABEL_MODELS = "fold_probs.parquet", "label_models"
LFS, RULES = "lfs.json", "rules.json"
PREDICTIONS, GOLD_PREDICTIONS = "predictions.parquet", "gold_predictions.parquet"
TO_FIX = "what_to_fix.json"
REPORT, LOG = "report.html", "log.txt"
# Of runs before votes had keys: label matrices without them.
OLD_VOTES, OLD_GOLD_VOTES = "train_label_matrix.npy", "dev_label_matrix.npy"


def checked(path: Path, run_id: str) -> Path:
    """The file of a run, if it is what its name says: whoever writes to MLflow can have put anything there.

    Raises:
        TrackingError: a `.parquet` that is something else.
    """
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            pq.read_metadata(path)
        except (OSError, ValueError) as error:  # pyarrow's are ValueErrors
            raise TrackingError(
                f"{path.name} of run {run_id} is no Parquet file: {one_line(error)}; name another run"
            ) from error
    return path

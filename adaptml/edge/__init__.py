"""What stands in front of the prediction service and of the page: connections, time limits, names, logs."""

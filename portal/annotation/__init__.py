"""Page 5: sampling, people's progress, agreement, settling what is disputed, and gold."""

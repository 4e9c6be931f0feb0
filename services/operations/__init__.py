"""What operators see and do: lists, figures, runs over many rows, pauses, and the record of each action."""

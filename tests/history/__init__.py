"""What was seen is kept, told and dropped, on each database alike."""

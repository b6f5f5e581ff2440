"""What the program costs beside others that do the same, measured in one run. Not tests: nothing here passes or fails."""

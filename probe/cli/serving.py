"""`probe serve`: scheduled checks, alerts, and what programs may ask of them."""

"""What lists are worth: ranking, accuracy, popularity bias. Arrays in, arrays out; no database, no paths but lists.py's."""

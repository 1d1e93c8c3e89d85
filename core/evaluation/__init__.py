"""What lists are worth: ranking, accuracy, popularity bias. Arrays in, arrays out; only lists.py reads a file."""

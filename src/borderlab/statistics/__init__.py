"""What numbers over seeds and over images can tell: intervals, tests, and how many seeds a question needs."""

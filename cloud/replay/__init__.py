"""What the rules would have said: a directory of recorded facts in, flags out, with the clock as an argument."""

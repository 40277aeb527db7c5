"""A city of which everything is known: who lives where, who has sub-let, what broke; written as a replay directory.

Pure but for `writing` and `__main__`. All shares and times are ASSUMED. The same seed makes the same city.
"""

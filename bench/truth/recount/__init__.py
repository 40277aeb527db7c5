"""The absence clock counted again, from docs/replay.md alone, as plainly as possible and never quickly.

It shares no code with the rules (nothing of cloud/ is imported here): a line both agree on is hardly an accident.
Days are counted from 1970-01-01 in Jakarta, instants are ms UTC.
"""

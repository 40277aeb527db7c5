"""The rules against known truth: a recount that shares no code with them, and the table of ten seeds (`make truth`)."""

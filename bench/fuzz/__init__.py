"""Fuzzing: what each reader of foreign bytes must always do, and a program that looks for bytes that break it."""

"""Flags that stand on findings: their three axes, and what changes when the findings do. Pure; no clock, no SQL."""

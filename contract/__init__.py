"""What crosses a border between two programs: topics, messages, series, sealed cards. Pure; imports no other room."""

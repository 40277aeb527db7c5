"""The programs of the server room: they store what arrives, and say what is wrong."""

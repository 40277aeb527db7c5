"""Who is told what, when, and in how many messages. Pure: plain values in, notices to be out; nothing is sent here."""

"""Says what is wrong: rules over stored facts, flags that stand on their findings, and the messages that carry them."""

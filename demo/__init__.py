"""A small Jakarta on this computer. Wires the real parts together; holds no behaviour of its own."""

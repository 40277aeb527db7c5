"""The program on each machine: reads cards, keeps taps, sends them until the centre has stored them."""

"""The partners, simulated on loopback: state, documented answers, faults on demand. For the demo and the tests only."""

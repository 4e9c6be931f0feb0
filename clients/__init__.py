"""Partner clients: each speaks one partner's language outwards and plain frozen values inwards."""

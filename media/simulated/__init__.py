"""A simulated patient: a rendered scene of known true color, and a client that shows it as a phone would."""

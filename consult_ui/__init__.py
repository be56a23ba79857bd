"""The built web interface, carried as package data."""

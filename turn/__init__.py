"""TURN for networks that block direct media: credentials, coturn configuration and a probe."""

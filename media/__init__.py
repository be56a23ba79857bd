"""Selective forwarding of WebRTC media: transport, relay, tap and the simulated patient."""

"""Consultations, admission and access; the HTTP and Socket.IO server that composes the parts."""

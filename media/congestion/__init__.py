"""Congestion control towards one viewer: how much its path carries, when each packet leaves, and which stream
gets what. Everything takes `now` and does no I/O.

Words of the sources that constants name: "GCC" is draft-ietf-rmcat-gcc-02; "Carlucci 2016" is G. Carlucci, L.
De Cicco, S. Holmer, S. Mascolo, "Analysis and Design of the Google Congestion Control for WebRTC", MMSys
2016; "libwebrtc" is what browsers run, by the name of its part; "emulator" is tests/media/congestion, where a
value of our own was chosen.
"""

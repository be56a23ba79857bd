"""The load that relays are measured under: a trace of real packets, and peers that send and receive it."""

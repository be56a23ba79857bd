"""What several parts' tests share: a real Chromium, a real coturn, a real server."""

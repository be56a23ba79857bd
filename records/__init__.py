"""The patient record: domain, store, encrypted blobs, keys and audit."""

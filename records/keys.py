"""Envelope encryption: one data key per patient, wrapped under a master key that the database never sees.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; keys for separate uses come from HKDF-SHA-256
(RFC 5869). A seal is bound to its place (table, column, row) and, through its key, to its patient:
moved elsewhere in the database it does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from records.interface import SealBroken, WrongMasterKey

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
_FORMAT = b"\x01"
_CACHED_PATIENTS = 4096


def _derive(key: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"truehue/1/" + use).derive(key)


def encrypt(cipher: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    """format byte, nonce, ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    return _FORMAT + nonce + cipher.encrypt(nonce, plain, bound_to)


def decrypt(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """Undo `encrypt`; raises SealBroken for other bytes, another key or another place."""
    if len(sealed) < 1 + NONCE_BYTES + TAG_BYTES or sealed[:1] != _FORMAT:
        raise SealBroken("a sealed value is damaged")
    try:
        return cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], bound_to)
    except InvalidTag:
        raise SealBroken("a sealed value is damaged or lies in the wrong place") from None


def place(*parts: str) -> bytes:
    """Associated data that no other list of parts gives: each part behind its length."""
    return b"".join(len(raw := part.encode()).to_bytes(4, "big") + raw for part in parts)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A patient's data key as the database keeps it."""

    patient_id: str
    key_id: str
    master_key_id: str
    wrapped_key: bytes


class PatientKeys:
    """What one patient's data key opens: sealed columns and blobs."""

    def __init__(self, patient_id: str, data_key: bytes) -> None:
        self.patient_id = patient_id
        self._columns = AESGCM(_derive(data_key, b"columns"))
        self._blob_names = _derive(data_key, b"blob names")
        self.blobs = AESGCM(_derive(data_key, b"blobs"))

    def seal(self, table: str, column: str, row_id: str, words: str) -> bytes:
        """Seal words for one cell of the database."""
        return encrypt(self._columns, words.encode(), place(table, column, row_id))

    def unseal(self, table: str, column: str, row_id: str, sealed: bytes) -> str:
        """Open a cell; raises SealBroken."""
        return decrypt(self._columns, sealed, place(table, column, row_id)).decode()

    def blob_name(self, sha256: str) -> str:
        """Address of content: keyed, so that a stolen disk does not even confirm a known picture."""
        return hmac.new(self._blob_names, sha256.encode(), hashlib.sha256).hexdigest()


class _Master:
    """What one master key of 32 bytes is used for."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise WrongMasterKey(f"the master key has {len(key)} bytes, not {KEY_BYTES}")
        self.key_id = _derive(key, b"id")[:8].hex()
        self.wrapping = AESGCM(_derive(key, b"wrap"))
        self.audit_key = _derive(key, b"audit head")
        self.backups = _derive(key, b"backups")


class KeyRing:
    """Makes, wraps and opens patients' data keys under one master key.

    Old master keys open what is still wrapped under them (`records.rotation`); nothing new is.
    """

    def __init__(self, master_key: bytes, old_master_keys: Iterable[bytes] = ()) -> None:
        self._master = _Master(master_key)
        self._masters = {one.key_id: one for one in (self._master, *map(_Master, old_master_keys))}
        self.audit_key = self._master.audit_key
        self.master_key_id = self._master.key_id
        """Tells master keys apart, and tells nothing about this one."""
        self._opened: OrderedDict[str, PatientKeys] = OrderedDict()
        self.origins: AESGCM | None = None
        """Seals from where the audit's lines came, once the store has opened that key."""

    @property
    def master_key_ids(self) -> Sequence[str]:
        """Of every master key that opens something here."""
        return list(self._masters)

    @property
    def audit_keys(self) -> Sequence[bytes]:
        """Keys that may have sealed the audit's end."""
        return [one.audit_key for one in self._masters.values()]

    def backup_cipher(self, master_key_id: str, backup_id: str) -> AESGCM:
        """The key of one backup; raises WrongMasterKey."""
        return AESGCM(_derive(self._known(master_key_id).backups, backup_id.encode()))

    def _known(self, master_key_id: str) -> _Master:
        master = self._masters.get(master_key_id)
        if master is None:
            raise WrongMasterKey("the record was sealed under another master key")
        return master

    def create(self, patient_id: str, key_id: str) -> tuple[WrappedKey, PatientKeys]:
        """A fresh data key, wrapped for the database and opened for use."""
        data_key = os.urandom(KEY_BYTES)
        wrapped = self._wrap(patient_id, key_id, data_key)
        return wrapped, self._remember(PatientKeys(patient_id, data_key))

    def _wrap(self, patient_id: str, key_id: str, data_key: bytes) -> WrappedKey:
        sealed = encrypt(self._master.wrapping, data_key, place("patient_keys", patient_id, key_id))
        return WrappedKey(patient_id, key_id, self.master_key_id, sealed)

    def _unwrap(self, wrapped: WrappedKey) -> bytes:
        bound_to = place("patient_keys", wrapped.patient_id, wrapped.key_id)
        return decrypt(self._known(wrapped.master_key_id).wrapping, wrapped.wrapped_key, bound_to)

    def rewrap(self, wrapped: WrappedKey) -> WrappedKey:
        """The same data key under the master key of today; raises as `open`."""
        return self._wrap(wrapped.patient_id, wrapped.key_id, self._unwrap(wrapped))

    def open(self, wrapped: WrappedKey) -> PatientKeys:
        """Unwrap a data key; raises WrongMasterKey, or SealBroken where it belongs to another patient."""
        return self._remember(PatientKeys(wrapped.patient_id, self._unwrap(wrapped)))

    def create_record_key(self, use: str) -> tuple[bytes, bytes]:
        """A fresh key of the record itself: as it is, and wrapped."""
        key = os.urandom(KEY_BYTES)
        return key, encrypt(self._master.wrapping, key, place("record_keys", use))

    def open_record_key(self, use: str, master_key_id: str, wrapped: bytes) -> bytes:
        """Unwrap a key of the record itself; raises WrongMasterKey, SealBroken."""
        return decrypt(self._known(master_key_id).wrapping, wrapped, place("record_keys", use))

    def rewrap_record_key(self, use: str, master_key_id: str, wrapped: bytes) -> bytes:
        """The same key under the master key of today; raises as `open_record_key`."""
        key = self.open_record_key(use, master_key_id, wrapped)
        return encrypt(self._master.wrapping, key, place("record_keys", use))

    def opened(self, patient_id: str) -> PatientKeys | None:
        """Keys of a patient that were opened lately."""
        keys = self._opened.get(patient_id)
        if keys is not None:
            self._opened.move_to_end(patient_id)
        return keys

    def _remember(self, keys: PatientKeys) -> PatientKeys:
        self._opened[keys.patient_id] = keys
        if len(self._opened) > _CACHED_PATIENTS:
            self._opened.popitem(last=False)
        return keys

"""Pictures for tests, made byte by byte where no encoder writes them: EXIF, ICC profiles, HEIC."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]

# XYZ of the D50-adapted primaries of Display P3, as its published profile holds them.
DISPLAY_P3_D50 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
SRGB_D50 = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
D50 = (0.96420, 1.00000, 0.82491)


def bands(width: int = 96, height: int = 64) -> Rgb:
    """Four flat quarters: red-brown above left, green above right, blue below left, gray below right."""
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[: height // 2, : width // 2] = (200, 90, 60)
    picture[: height // 2, width // 2 :] = (60, 170, 80)
    picture[height // 2 :, : width // 2] = (50, 70, 190)
    picture[height // 2 :, width // 2 :] = (128, 128, 128)
    return picture


def encoded(picture: Rgb, form: str, **options: object) -> bytes:
    """A picture in one of Pillow's formats; JPEG without loss to speak of."""
    out = io.BytesIO()
    if form == "JPEG":
        options = {"quality": 98, "subsampling": 0} | options
    if form == "WEBP":
        options = {"lossless": True} | options
    Image.fromarray(picture).save(out, form, **options)
    return out.getvalue()


def exif(orientation: int | None = None, gps: bool = False, order: str = "<", gps_tag: int = 2) -> bytes:
    """An EXIF block with an orientation, a GPS directory with one tag, or both."""
    entries = []
    if orientation is not None:
        entries.append(struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0))
    directory_bytes = 2 + 12 * (len(entries) + gps) + 4
    if gps:
        entries.append(struct.pack(order + "HHII", 0x8825, 4, 1, 8 + directory_bytes))
    block = b"II*\0" if order == "<" else b"MM\0*"
    block += (
        struct.pack(order + "I", 8) + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    )
    if gps:
        values_at = len(block) + 2 + 12 + 4
        block += struct.pack(order + "HHHII", 1, gps_tag, 5, 3, values_at) + bytes(4)
        block += struct.pack(order + "6I", 52, 1, 31, 1, 12, 1)
    return b"Exif\0\0" + block


def icc_profile(primaries: Sequence[Sequence[float]], gamma: float) -> bytes:
    """A display profile of three D50 primaries and a gamma (ICC.1:2001, matrix/TRC)."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: Sequence[float]) -> bytes:
        return b"XYZ " + bytes(4) + b"".join(fixed(value) for value in values)

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    words = b"Test"
    text = b"text" + bytes(4) + words + b"\0" + bytes(3)
    description = b"desc" + bytes(4) + struct.pack(">I", len(words) + 1) + words + b"\0" + bytes(78 + 1)
    tags = [
        (b"desc", description),
        (b"cprt", text),
        (b"wtpt", xyz(D50)),
        *((name, xyz(values)) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    header = bytearray(128)
    header[0:4] = struct.pack(">I", at + len(body))
    header[8:12] = struct.pack(">I", 0x02400000)
    header[12:24] = b"mntrRGB XYZ "
    header[24:36] = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    header[36:40] = b"acsp"
    header[68:80] = b"".join(fixed(value) for value in D50)
    return bytes(header) + table + body


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size, with hardly any data behind it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def _full(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _hevc(picture: Rgb) -> list[bytes]:
    """NAL units of one intra frame, full range BT.601, as phones encode stills."""
    height, width = picture.shape[:2]
    codec = av.CodecContext.create("libx265", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuvj420p"
    codec.time_base = Fraction(1, 1)
    codec.options = {"x265-params": "keyint=1:qp=8:log-level=none:range=full:colormatrix=smpte170m:info=0"}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
        format="yuvj420p", src_colorspace="ITU601", dst_colorspace="ITU601", dst_color_range="JPEG"
    )
    stream = b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
    return [nal.rstrip(b"\0") for nal in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]


def heic(
    picture: Rgb, profile: bytes | None = None, exif_block: bytes | None = None, quarter_turns: int = 0
) -> bytes:
    """A HEIC still (ISO/IEC 23008-12) as a phone writes one: hvc1 item, ICC profile, EXIF item, rotation."""
    height, width = picture.shape[:2]
    nals = _hevc(picture)
    kinds = [nal[0] >> 1 & 63 for nal in nals]
    parameter_sets = [(kind, nal) for kind, nal in zip(kinds, nals, strict=True) if kind in (32, 33, 34)]
    coded = b"".join(
        struct.pack(">I", len(nal)) + nal for kind, nal in zip(kinds, nals, strict=True) if kind < 32
    )
    sps = next(nal for kind, nal in parameter_sets if kind == 33)
    configuration = b"\x01" + sps[3:15] + b"\xf0\x00\xfc\xfd\xf8\xf8\x00\x00\x0f"
    configuration += bytes([len(parameter_sets)])
    for kind, nal in parameter_sets:
        configuration += struct.pack(">BHH", 0x80 | kind, 1, len(nal)) + nal
    properties = [_box(b"hvcC", configuration), _full(b"ispe", struct.pack(">II", width, height))]
    if profile is not None:
        properties.append(_box(b"colr", b"prof", profile))
    if quarter_turns:
        properties.append(_box(b"irot", bytes([quarter_turns])))
    associations = bytes(0x80 | index + 1 for index in range(len(properties)))
    items = [(1, b"hvc1", coded)]
    references = b""
    if exif_block is not None:
        items.append((2, b"Exif", struct.pack(">I", 6) + exif_block))
        references = _full(b"iref", _box(b"cdsc", struct.pack(">HHH", 2, 1, 1)))
    entries = [
        _full(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2) for number, kind, _ in items
    ]

    def meta(data_at: int) -> bytes:
        locations, at = b"", data_at
        for number, _, data in items:
            locations += struct.pack(">HHHII", number, 0, 1, at, len(data))
            at += len(data)
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4), b"pict", bytes(13)),
            _full(b"pitm", struct.pack(">H", 1)),
            _full(b"iloc", b"\x44\x00", struct.pack(">H", len(items)), locations),
            _full(b"iinf", struct.pack(">H", len(items)), *entries),
            references,
            _box(
                b"iprp",
                _box(b"ipco", *properties),
                _full(b"ipma", struct.pack(">IHB", 1, 1, len(properties)), associations),
            ),
        )

    head = _box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic")
    data_at = len(head) + len(meta(0)) + 8
    return head + meta(data_at) + _box(b"mdat", *(data for _, _, data in items))

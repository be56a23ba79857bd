"""Every matrix and range leads back to the RGB that went in."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.depacketize import CodedPicture
from media.emphasis import SKIN, forward_table
from media.interface import StatedMatrix
from media.tap import decode_picture, open_decoder
from media.yuv import LUMA_WEIGHTS, rgb_from_yuv, stated_matrix, to_rgb
from tests.media.coded import Tags, encode, encoder, yuv_frame

RANGES = [ColorRange.MPEG, ColorRange.JPEG]
# Inside the gamut of every matrix, so that nothing saturates on the way.
COLORS = np.array(
    [[192, 148, 126], [115, 82, 68], [128, 128, 128], [230, 231, 229], [40, 42, 41], [150, 90, 95]],
    np.float64,
)


def forward(rgb: NDArray[np.float64], tags: Tags) -> NDArray[np.float64]:
    """R'G'B' 0..255 to 8-bit Y'CbCr, written from ITU-T H.273 section 8.3, apart from the code under test."""
    kr, kb = LUMA_WEIGHTS[tags.colorspace]
    r, g, b = (rgb[..., i] / 255 for i in range(3))
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = 0.5 * (b - y) / (1 - kb), 0.5 * (r - y) / (1 - kr)
    if tags.color_range == ColorRange.JPEG:
        return np.stack([255 * y, 255 * cb + 128, 255 * cr + 128], axis=-1)
    return np.stack([219 * y + 16, 224 * cb + 128, 224 * cr + 128], axis=-1)


def columns(tags: Tags, height: int = 48, column: int = 32) -> list[NDArray[np.uint8]]:
    """The colors as columns, 4:2:0 planes."""
    yuv = np.rint(forward(COLORS, tags)).astype(np.uint8)
    return [
        np.repeat(np.tile(yuv[:, i], (height // step, 1)), column // step, axis=1)
        for i, step in enumerate((1, 2, 2))
    ]


def medians(rgb: NDArray[np.uint8], column: int = 32) -> NDArray[np.float64]:
    return np.array(
        [np.median(rgb[8:-8, n * column + 8 : (n + 1) * column - 8], axis=(0, 1)) for n in range(len(COLORS))]
    )


@pytest.mark.parametrize("color_range", RANGES)
@pytest.mark.parametrize("matrix", LUMA_WEIGHTS)
def test_tagged_pictures_lead_back(matrix: int, color_range: int) -> None:
    tags = Tags(matrix, color_range)
    rgb = to_rgb(yuv_frame(columns(tags), tags))
    assert rgb.dtype == np.uint8
    assert rgb.shape == (48, 32 * len(COLORS), 3)
    # Rounding Y'CbCr to whole codes costs up to about 1.4 codes of RGB in limited range.
    assert np.abs(medians(rgb) - COLORS).max() <= 2


def test_untagged_is_bt601_limited() -> None:
    planes = columns(Tags(Colorspace.ITU601, ColorRange.MPEG))
    assert np.abs(medians(to_rgb(yuv_frame(planes))) - COLORS).max() <= 2


@pytest.mark.parametrize(
    ("codec", "matrix", "color_range"),
    [
        ("VP8", Colorspace.ITU601, ColorRange.MPEG),
        *[(codec, matrix, r) for codec in ("VP9", "H264", "AV1") for r in RANGES
          for matrix in (Colorspace.ITU709, Colorspace.ITU601)],
    ],
)  # fmt: skip
def test_tags_survive_a_real_stream(codec: str, matrix: int, color_range: int) -> None:
    tags = Tags(matrix, color_range)
    planes = columns(tags, height=96)
    context = encoder(codec, planes[0].shape[1], planes[0].shape[0], tags if codec != "VP8" else None)
    (coded,) = encode(context, [yuv_frame(planes, tags if codec != "VP8" else None)])
    frame = decode_picture(open_decoder(codec), CodedPicture(codec, (coded,), True, 0, 0.0))
    assert frame is not None
    assert np.abs(medians(to_rgb(frame)) - COLORS).max() <= 4


def test_what_a_stream_states_is_told() -> None:
    planes = columns(Tags(Colorspace.ITU601, ColorRange.MPEG))
    assert stated_matrix(yuv_frame(planes)) is None
    for matrix, full in ((Colorspace.ITU709, False), (Colorspace.BT2020, True)):
        tags = Tags(matrix, ColorRange.JPEG if full else ColorRange.MPEG)
        assert stated_matrix(yuv_frame(planes, tags)) == StatedMatrix(*LUMA_WEIGHTS[matrix], full)
    rgb = np.zeros((16, 24, 3), np.uint8)
    assert stated_matrix(VideoFrame.from_ndarray(rgb, format="rgb24")) is None


@given(
    matrix=st.sampled_from(sorted(LUMA_WEIGHTS)),
    full=st.booleans(),
    rgb=st.tuples(*[st.floats(0, 255)] * 3),
)
def test_the_matrix_inverts_its_definition(matrix: int, full: bool, rgb: tuple[float, float, float]) -> None:
    color = np.array(rgb)
    yuv = forward(color, Tags(matrix, ColorRange.JPEG if full else ColorRange.MPEG))
    back = rgb_from_yuv(*LUMA_WEIGHTS[matrix], full) @ np.append(yuv, 1)
    np.testing.assert_allclose(back, color, atol=1e-9)


@pytest.mark.parametrize("name", ["yuv444p", "yuv422p", "nv12", "yuv420p10le"])
def test_other_layouts_give_the_same_colors(name: str) -> None:
    tags = Tags(Colorspace.ITU709, ColorRange.MPEG)
    frame = yuv_frame(columns(tags), tags).reformat(
        format=name, src_colorspace=Colorspace.ITU709, dst_colorspace=Colorspace.ITU709
    )
    assert np.abs(medians(to_rgb(frame)) - COLORS).max() <= 3


def test_rgb_stays_as_it_is() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    np.testing.assert_array_equal(to_rgb(VideoFrame.from_ndarray(rgb, format="rgb24")), rgb)
    np.testing.assert_array_equal(to_rgb(VideoFrame.from_ndarray(rgb, format="gbrp")), rgb)


def test_odd_sizes_keep_their_size() -> None:
    rgb = to_rgb(yuv_frame([np.full((15, 21), 120, np.uint8), *[np.full((8, 11), 128, np.uint8)] * 2]))
    assert rgb.shape == (15, 21, 3)
    assert np.ptp(rgb) == 0


@pytest.mark.parametrize("color_range", RANGES)
@pytest.mark.parametrize("matrix", LUMA_WEIGHTS)
def test_stretched_chroma_leads_back_under_every_matrix(matrix: int, color_range: int) -> None:
    tags = Tags(matrix, color_range)
    luma, *chroma = columns(tags)
    stretched = [
        forward_table(center, SKIN.softness)[plane]
        for center, plane in zip((SKIN.center_u, SKIN.center_v), chroma, strict=True)
    ]
    rgb = to_rgb(yuv_frame([luma, *stretched], tags), SKIN)
    assert np.abs(medians(rgb) - COLORS).max() <= 3
    # Shown as it comes it would be another color altogether.
    assert np.abs(medians(to_rgb(yuv_frame([luma, *stretched], tags))) - COLORS).max() > 20

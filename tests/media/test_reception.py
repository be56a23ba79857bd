"""Loss, jitter and report blocks of one source."""

from __future__ import annotations

from media.reception import Reception
from media.rtcp import SenderReport


def test_before_any_packet_there_is_no_block() -> None:
    assert Reception(90000).block(1, 0.0) is None
    assert Reception(90000).lost == 0


def test_loss_since_the_last_report_and_in_all() -> None:
    reception = Reception(90000)
    for sequence in (10, 11, 13, 14):
        reception.packet(sequence, 0, 0.0)
    block = reception.block(7, 1.0)
    assert block is not None
    assert (block.ssrc, block.lost, block.fraction_lost, block.highest_sequence) == (7, 1, 256 // 5, 14)
    reception.packet(15, 0, 0.0)
    reception.recovered()
    block = reception.block(7, 2.0)
    assert block is not None
    assert (block.lost, block.fraction_lost) == (0, 0)


def test_jitter_of_a_steady_stream_is_none_and_of_a_shaken_one_converges() -> None:
    steady, shaken = Reception(90000), Reception(90000)
    for index in range(500):
        steady.packet(index, 900 * index, 0.01 * index)
        shaken.packet(index, 900 * index, 0.01 * index + 0.004 * (index % 2))
    (calm, rough) = (r.block(1, 0.0) for r in (steady, shaken))
    assert calm is not None
    assert rough is not None
    assert calm.jitter <= 1
    assert abs(rough.jitter - 360) < 10


def test_jitter_survives_the_wrap_of_timestamps() -> None:
    reception = Reception(90000)
    for index in range(100):
        reception.packet(index, (0xFFFFFFFF - 45_000 + 900 * index) & 0xFFFFFFFF, 0.01 * index)
    block = reception.block(1, 0.0)
    assert block is not None
    assert block.jitter <= 1


def test_the_last_report_is_referred_to() -> None:
    reception = Reception(90000)
    reception.packet(1, 0, 0.0)
    reception.sender_report(SenderReport(1, 0x1122334455667788, 0, 0, 0), 10.0)
    block = reception.block(1, 11.5)
    assert block is not None
    assert (block.last_report, block.delay) == (0x33445566, 98304)

"""What a Subscription sends again, and what it does not."""

from __future__ import annotations

from tests.media import streams
from tests.media.streams import publication, subscription
from tests.media.test_subscription import BASE_ONLY, forwarded, layered, send


def test_of_layers_left_out_nothing_is_sent_again_where_none_waits_for_them() -> None:
    source = publication()
    viewer = subscription(source)
    for number in range(3):
        forwarded(source, viewer, layered(number, key=number == 0))
    assert len(viewer.retransmit((1000, 1001, 1002), 1.0)) == 3
    viewer.set_layer(BASE_ONLY._replace(max_temporal=1))
    assert len(viewer.retransmit((1000, 1001, 1002), 2.0)) == 3
    viewer.set_layer(BASE_ONLY)
    send(source, viewer, layered(3))
    assert len(viewer.retransmit((1000, 1001, 1002), 3.0)) == 1


def test_an_answer_is_given_time_to_arrive() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    assert len(viewer.retransmit((1000,), 1.0, 0.1)) == 1
    assert viewer.retransmit((1000,), 1.09, 0.1) == []
    assert len(viewer.retransmit((1000,), 1.11, 0.1)) == 1

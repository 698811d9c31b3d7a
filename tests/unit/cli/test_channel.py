import threading

import pytest

from faced_cli.channel import Channel


def test_items_arrive_in_order_and_never_more_than_capacity_wait():
    channel: Channel[int] = Channel(2)
    most = []

    def send():
        for i in range(50):
            channel.put(i)
            most.append(len(channel._items))
        channel.end()

    thread = threading.Thread(target=send)
    thread.start()
    assert list(channel) == list(range(50))
    thread.join(5)
    assert max(most) <= 2


def test_failure_of_the_sender_is_raised_after_its_last_item():
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.end(ValueError("broken"))
    items = iter(channel)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_abandoning_frees_a_waiting_sender():
    channel: Channel[int] = Channel(1)
    assert channel.put(1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(channel.put(2)))
    thread.start()
    channel.abandon()
    thread.join(5)
    assert answers == [False]
    assert list(channel) == []


def test_offer_never_waits():
    channel = Channel(1)
    assert channel.offer(1)
    assert not channel.offer(2)
    channel.end()
    assert list(channel) == [1]
    channel.abandon()
    assert not channel.offer(3)

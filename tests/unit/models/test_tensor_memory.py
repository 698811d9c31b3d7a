from concurrent.futures import ThreadPoolExecutor

import numpy as np

from faced_models.tensor_memory import TensorMemory


def address(tensor):
    return tensor.__array_interface__["data"][0]


def filled(memory, layout, shape):
    tensor = memory.take(layout, shape)
    assert tensor.shape == shape
    assert not tensor.any()
    tensor.fill(7.0)
    memory.give_back(layout, tensor)
    return address(tensor)


def test_the_same_layout_finds_what_it_wrote():
    memory = TensorMemory()
    filled(memory, "a", (1, 3, 20, 10))
    assert (memory.take("a", (1, 3, 20, 10)) == 7.0).all()


def test_another_layout_finds_zeros_in_the_same_block():
    memory = TensorMemory()
    first = filled(memory, "a", (1, 3, 20, 10))
    assert filled(memory, "b", (1, 3, 10, 20)) == first
    assert filled(memory, "b", (1, 3, 5, 5)) == first
    assert filled(memory, "a", (1, 3, 20, 10)) == first


def test_a_tensor_in_use_is_lent_to_nobody_else():
    memory = TensorMemory()
    one, other = memory.take("a", (1, 3, 8, 8)), memory.take("a", (1, 3, 8, 8))
    one.fill(1.0)
    assert not other.any()
    memory.give_back("a", one)
    memory.give_back("a", other)
    # The newest first.
    assert address(memory.take("a", (1, 3, 8, 8))) == address(other)
    assert address(memory.take("a", (1, 3, 8, 8))) == address(one)


def test_a_block_for_a_huge_picture_is_not_kept_for_a_small_one():
    memory = TensorMemory()
    huge = memory.take("huge", (1, 3, 4000, 2200))
    memory.give_back("huge", huge)
    del huge
    small = memory.take("small", (1, 3, 100, 100))
    assert small.base.size == small.size


def test_values_of_two_batches_of_one_layout_do_not_mix():
    memory = TensorMemory()
    batch = memory.take("a", (2, 3, 8, 8))
    batch.fill(5.0)
    memory.give_back("a", batch)
    assert np.count_nonzero(memory.take("a", (1, 3, 8, 8))) == 0


def test_threads_never_hold_the_same_tensor():
    memory = TensorMemory()

    def use(number):
        for _ in range(300):
            tensor = memory.take("a", (4, 4))
            tensor.fill(number)
            assert (tensor == number).all()
            memory.give_back("a", tensor)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(use, range(4)))


def test_blocks_that_have_grown_too_large_go_whoever_lies_in_front():
    memory = TensorMemory()
    tensors = [memory.take(size, (size,)) for size in (100, 26_000_000)]
    for tensor in tensors:
        memory.give_back(len(tensor), tensor)
    del tensors, tensor
    for _ in range(2):
        memory.give_back(100, memory.take(100, (100,)))
    assert [spare.base.size for _, spare, _ in memory._spare] == [100]


def test_a_block_that_only_a_crowd_needed_goes():
    memory = TensorMemory()

    def lend(at_once):
        tensors = [memory.take("a", (100,)) for _ in range(at_once)]
        for tensor in tensors:
            memory.give_back("a", tensor)

    for at_once, loans, kept in [(3, 1, 3), (1, 20, 3), (2, 100, 2), (1, 100, 1)]:
        for _ in range(loans):
            lend(at_once)
        assert len(memory._spare) == kept

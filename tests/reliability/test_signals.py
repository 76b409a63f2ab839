"""One signal is obeyed at the next safe moment, a second one at once; outside, handlers are what they were."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from bench.train.signals import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_waits_for_a_safe_moment(number):
    with Interrupts() as interrupts:
        interrupts.obey()
        os.kill(os.getpid(), number)
        assert interrupts.pending == number
        with pytest.raises(KeyboardInterrupt):
            interrupts.obey()
        with pytest.raises(KeyboardInterrupt), interrupts.immediate():
            pytest.fail("a part that may be broken off is not begun")


def test_what_may_be_broken_off_is_broken_off():
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt), interrupts.immediate():
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("goes on")
        assert interrupts.pending == signal.SIGTERM


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_is_left_alone():
    seen = []

    def work():
        with Interrupts() as interrupts:
            seen.append(interrupts.pending)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]


def test_a_second_signal_ends_at_once():
    """In a process of its own, which a handler that did not end it would let sleep on."""
    script = (
        "import os, signal, time\nfrom bench.train.signals import Interrupts\nwith Interrupts():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(60)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 128 + signal.SIGTERM

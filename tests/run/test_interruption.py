"""A signal ends a run at once, but never inside what is held."""

import signal

import pytest

from tap_sage_intacct.run.interruption import Interrupted, Interruption


def test_signal_outside_ends_at_once_after_the_last_words() -> None:
    said: list[str] = []
    with pytest.raises(Interrupted) as caught:
        Interruption().request(signal.SIGTERM, lambda: said.append("state"))
    assert said == ["state"]
    assert caught.value.exit_code == 143
    assert str(caught.value) == "Interrupted by SIGTERM"


def test_signal_inside_waits_until_all_is_released() -> None:
    interruption, said = Interruption(), []

    def write() -> None:
        with interruption:
            with interruption:
                interruption.request(signal.SIGINT, lambda: said.append("state"))
                said.append("line")
            said.append("rest")

    with pytest.raises(Interrupted):
        write()
    assert said == ["line", "rest", "state"]


def test_second_signal_changes_nothing() -> None:
    """It often comes at once, from another program than the first."""
    interruption, said = Interruption(), []

    def write() -> None:
        with interruption:
            interruption.request(signal.SIGINT, lambda: said.append("state"))
            interruption.request(signal.SIGTERM, lambda: said.append("other"))
            said.append("line")

    with pytest.raises(Interrupted) as caught:
        write()
    interruption.request(signal.SIGTERM, lambda: said.append("other"))
    assert said == ["line", "state"]
    assert caught.value.exit_code == 130


def test_last_words_may_hold_signals_back_themselves() -> None:
    interruption, said = Interruption(), []

    def speak() -> None:
        with interruption:
            said.append("state")

    with pytest.raises(Interrupted), interruption:
        interruption.request(signal.SIGTERM, speak)
    assert said == ["state"]


def test_nothing_happens_where_nothing_is_asked() -> None:
    interruption = Interruption()
    with interruption, interruption:
        pass

"""The demo's clock follows the wall, never goes back, and stands still while the world is built."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simcord.backend import Backend

from bot.demo.clock import BUILD_TIME, WallClock

START = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)


class Wall:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at.timestamp()


def test_it_stands_still_until_it_begins() -> None:
    wall = Wall()
    clock = WallClock(wall)
    wall.at += timedelta(hours=1)
    assert clock.now() == BUILD_TIME
    assert clock.elapsed == 0


def test_it_shows_the_walls_time_once_begun() -> None:
    wall = Wall()
    clock = WallClock(wall)
    clock.begin()
    assert clock.now() == START
    wall.at += timedelta(seconds=90)
    assert clock.now() == START + timedelta(seconds=90)
    assert clock.elapsed == 90


def test_it_never_goes_back_when_the_wall_does() -> None:
    wall = Wall()
    clock = WallClock(wall)
    clock.begin()
    wall.at += timedelta(seconds=60)
    assert clock.elapsed == 60
    wall.at -= timedelta(seconds=50)
    assert clock.elapsed == 60
    wall.at += timedelta(seconds=55)
    assert clock.elapsed == 65


def test_a_push_holds_until_the_wall_has_caught_up() -> None:
    wall = Wall()
    clock = WallClock(wall)
    clock.begin()
    clock.advance(30)
    assert clock.now() == START + timedelta(seconds=30)
    wall.at += timedelta(seconds=10)
    assert clock.now() == START + timedelta(seconds=30)
    wall.at += timedelta(seconds=30)
    assert clock.now() == START + timedelta(seconds=40)


def test_the_same_build_has_the_same_ids_and_later_ones_differ() -> None:
    def ids(begun_at: datetime) -> tuple[int, int]:
        wall = Wall()
        wall.at = begun_at
        clock = WallClock(wall)
        backend = Backend(clock=clock)
        built = backend.snowflake()
        clock.begin()
        return built, backend.snowflake()

    first, second = ids(START), ids(START + timedelta(days=1))
    assert first[0] == second[0]
    assert first[1] < second[1]

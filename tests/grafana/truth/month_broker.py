"""What the broker says of itself, and how many messages wait, at any minute of the month."""

from month_story import MINUTE, START


def broker_at(minute: int) -> dict[str, int]:
    """What the broker says of itself then."""
    number = (minute - START) // MINUTE
    gauges = {"clients_connected": 10 + number % 7, "subscribed": 5 + number % 3, "retained": 30 + number % 11}
    sums = {"received_total": 25 * number + number % 9, "sent_total": 9 * number, "dropped_total": number // 700}
    bytes_ = {"received_bytes_total": 9000 * number + number % 13, "sent_bytes_total": 4100 * number}
    return gauges | sums | bytes_ | {"queued": number % 5, "heap_bytes": 10**6 + number % 999, "uptime_s": 60 * number}


def waiting_at(minute: int) -> int:
    """Messages that wait to be stored then."""
    return minute // MINUTE % 17

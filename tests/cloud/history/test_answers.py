import pytest

from cloud.history import answers
from cloud.history.answers import Meaning


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (204, Meaning.STORED),
        (200, Meaning.NOT_NOW),
        (0, Meaning.NOT_NOW),
        (302, Meaning.NOT_NOW),
        (400, Meaning.UNACCEPTABLE),
        (401, Meaning.NEEDS_A_PERSON),
        (403, Meaning.NEEDS_A_PERSON),
        (404, Meaning.NEEDS_A_PERSON),
        (408, Meaning.NOT_NOW),
        (413, Meaning.UNACCEPTABLE),
        (422, Meaning.UNACCEPTABLE),
        (429, Meaning.NOT_NOW),
        (500, Meaning.NOT_NOW),
        (503, Meaning.NOT_NOW),
    ],
)
def test_a_status_means_one_thing_for_all_versions(status: int, meaning: Meaning) -> None:
    assert answers.meaning(status) is meaning


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"code":"invalid","message":"too old"}', "too old"),
        ('{"error":"too old"}', "too old"),
        ('["too old"]', '["too old"]'),
        ("{}", "{}"),
        ("<html>too old</html>\n", "<html>too old</html>"),
        ("", "the server answered 400 without words"),
    ],
    ids=["2.x", "1.x-and-3.x", "a-list", "nothing-known", "a-proxy", "nothing"],
)
def test_the_reason_is_in_the_server_s_own_words(body: str, reason: str) -> None:
    assert answers.reason(400, body) == reason


def test_a_reason_is_cut_to_what_a_dead_letter_can_show() -> None:
    assert len(answers.reason(400, "x" * 10_000)) == answers.MAX_REASON


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("", None), ("7", 7.0), (" 30 ", 30.0), ("-1", None), ("1.5", None), ("9" * 40, None), ("²", None)],
)
def test_retry_after_is_read_where_it_names_seconds(header: str | None, seconds: float | None) -> None:
    assert answers.retry_after_s(header) == seconds


def test_retry_after_as_a_date_is_left_to_our_own_pace() -> None:
    assert answers.retry_after_s("Wed, 21 Oct 2026 07:28:00 GMT") is None

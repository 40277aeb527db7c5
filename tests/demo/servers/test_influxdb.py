import gzip
import urllib.error
import urllib.request

import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from demo.servers import influx_proxy
from demo.servers.influxdb import InfluxDB, QueryRefused

LINE = "machine,device=DMG-01 online=1i 1767225600000000000"


def write(server: InfluxDB, *lines: str, bucket: str = "ops", token: str | None = None, zipped: bool = False) -> None:
    with InfluxDBClient(server.url, token or server.token, org=server.org, enable_gzip=zipped) as client:
        client.write_api(SYNCHRONOUS).write(bucket, record=list(lines))


def status_of(server: InfluxDB, path: str, body: bytes | None = None, **headers: str) -> int:
    asked = urllib.request.Request(server.url + path, body, {"Authorization": f"Token {server.token}", **headers})
    try:
        with urllib.request.urlopen(asked) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


@pytest.mark.integration
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_what_the_client_writes_can_be_queried(influxdb: InfluxDB, zipped: bool) -> None:
    write(influxdb, LINE, zipped=zipped)
    (row,) = influxdb.query("ops", "SELECT * FROM machine")
    assert row == {"name": "machine", "time": 1767225600000000000, "device": "DMG-01", "online": 1}
    assert influxdb.query("taps", "SELECT * FROM machine") == []


@pytest.mark.integration
@pytest.mark.parametrize(("precision", "time"), [("ns", 10**18), ("us", 10**15), ("ms", 10**12), ("s", 10**9)])
def test_every_precision_of_2x_is_understood(influxdb: InfluxDB, precision: str, time: int) -> None:
    body = f"m f=1i {time}".encode()
    assert status_of(influxdb, f"/api/v2/write?org=hadir&bucket=ops&precision={precision}", body) == 204
    assert influxdb.query("ops", "SELECT f FROM m")[0]["time"] == 10**18


@pytest.mark.integration
def test_what_was_stored_outlives_a_kill_and_a_restart(influxdb: InfluxDB) -> None:
    write(influxdb, LINE)
    influxdb.kill()
    with pytest.raises(HTTPError):
        write(influxdb, LINE)
    influxdb.start()
    influxdb.restart()
    assert len(influxdb.query("ops", "SELECT * FROM machine")) == 1


@pytest.mark.integration
def test_a_client_that_kept_its_connection_is_cut_off_by_a_kill(influxdb: InfluxDB) -> None:
    with InfluxDBClient(influxdb.url, influxdb.token, org=influxdb.org) as client:
        api = client.write_api(SYNCHRONOUS)
        api.write("ops", record=LINE)
        influxdb.kill()
        with pytest.raises(HTTPError):
            api.write("ops", record=LINE)
        influxdb.start()
        api.write("ops", record=LINE)


@pytest.mark.integration
def test_without_its_engine_the_address_answers_502(influxdb: InfluxDB) -> None:
    influxdb.kill_engine()
    assert status_of(influxdb, "/api/v2/write?bucket=ops", LINE.encode()) == 502


@pytest.mark.integration
def test_a_wrong_token_is_401_and_an_unknown_bucket_is_404(influxdb: InfluxDB) -> None:
    with pytest.raises(ApiException) as refused:
        write(influxdb, LINE, token="stale")
    assert refused.value.status == 401
    with pytest.raises(ApiException) as unknown:
        write(influxdb, LINE, bucket="elsewhere")
    assert unknown.value.status == 404


@pytest.mark.integration
def test_the_engines_own_refusal_comes_through_with_its_text(influxdb: InfluxDB) -> None:
    write(influxdb, "m f=1i 1")
    with pytest.raises(ApiException, match="field type conflict") as refused:
        write(influxdb, "m f=1.5 2")
    assert refused.value.status == 400


@pytest.mark.integration
def test_a_body_above_the_limit_is_413(influxdb: InfluxDB) -> None:
    zipped = gzip.compress(b"x" * 10)
    assert status_of(influxdb, "/api/v2/write?bucket=ops", b"#" * (influx_proxy.LARGEST_BODY + 1)) == 413
    assert status_of(influxdb, "/api/v2/write?bucket=ops", zipped, **{"Content-Encoding": "gzip"}) == 400


@pytest.mark.integration
def test_health_and_ping_answer(influxdb: InfluxDB) -> None:
    with InfluxDBClient(influxdb.url, influxdb.token, org=influxdb.org) as client:
        assert client.ping()
        assert client.version().startswith("1.6.7")


@pytest.mark.integration
def test_queries_go_through_the_address_with_the_token_alone(influxdb: InfluxDB) -> None:
    assert status_of(influxdb, "/query?db=ops&q=SHOW%20MEASUREMENTS") == 200
    assert status_of(influxdb, "/query?db=ops&q=SHOW%20MEASUREMENTS", Authorization="Token stale") == 401


@pytest.mark.integration
@pytest.mark.parametrize("influxql", ["SELEKT 1", "SELECT nosuch(f) FROM m"], ids=["grammar", "function"])
def test_a_refused_query_says_why(influxdb: InfluxDB, influxql: str) -> None:
    with pytest.raises(QueryRefused, match=r"SELEKT|nosuch"):
        influxdb.query("ops", influxql)


@pytest.mark.parametrize("target", ["/api/v2/query", "/api/v2/buckets", "/write?db=ops", "/"])
def test_the_rest_of_2x_and_the_engines_own_write_address_are_not_there(target: str) -> None:
    with pytest.raises(influx_proxy.Refused) as refused:
        influx_proxy.engine_address("POST", target)
    assert refused.value.status == 404


def test_an_unknown_precision_is_refused_rather_than_guessed() -> None:
    with pytest.raises(influx_proxy.Refused):
        influx_proxy.engine_address("POST", "/api/v2/write?bucket=ops&precision=min")

"""The end of a revocation list is read from the list itself."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloud.alerts import revocations

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def test_the_end_of_a_list_is_its_next_update(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateRevocationListBuilder(name, NOW, NOW + timedelta(days=30))
    file = tmp_path / "crl.pem"
    file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    assert revocations.expires_ms(file) == round((NOW + timedelta(days=30)).timestamp() * 1000)


def test_of_a_list_that_cannot_be_read_nothing_is_known(tmp_path, caplog):
    (tmp_path / "bad.pem").write_text("nothing")
    assert revocations.expires_ms(tmp_path / "bad.pem") is None
    assert revocations.expires_ms(tmp_path / "missing.pem") is None
    assert [record.action for record in caplog.records] == ["crl_unreadable"] * 2

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from provisioning import ca

NOW = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
ROOT = ca.new_root(NOW)
ISSUING = ca.new_issuing(ROOT, NOW)


def client(name: str = "DMG-01", asked: str = "DMG-01", now: datetime = NOW) -> x509.Certificate:
    return ca.client_certificate(ISSUING, ca.request(ca.new_key(), asked), name=name, now=now)


def server(*hosts: str) -> x509.Certificate:
    return ca.server_certificate(ISSUING, ca.request(ca.new_key(), "broker"), hosts=hosts, now=NOW)


def usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_client_certificate_is_signed_up_to_the_root() -> None:
    client().verify_directly_issued_by(ISSUING.certificate)
    ISSUING.certificate.verify_directly_issued_by(ROOT.certificate)


def test_a_broker_certificate_is_believed_for_its_hosts_and_no_others() -> None:
    leaf = server("broker.example.id", "127.0.0.1")
    policy = PolicyBuilder().store(Store([ROOT.certificate])).time(NOW)
    policy.build_server_verifier(x509.DNSName("broker.example.id")).verify(leaf, [ISSUING.certificate])
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("other.example.id")).verify(leaf, [ISSUING.certificate])


def test_the_name_is_the_authoritys_choice_not_the_requests() -> None:
    assert ca.common_name(client(name="DMG-01", asked="ingest")) == "DMG-01"


def test_a_machine_cannot_pose_as_the_broker_nor_the_broker_as_a_machine() -> None:
    assert usages(client()) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert usages(server("localhost")) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_leaf_may_sign_nothing() -> None:
    for leaf in (client(), server("localhost")):
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_the_issuing_authority_may_make_no_further_authority() -> None:
    constraints = ISSUING.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical and constraints.value.path_length == 0


def test_a_client_certificate_lives_90_days_from_a_little_before_now() -> None:
    leaf = client()
    assert NOW - timedelta(minutes=5) == leaf.not_valid_before_utc
    assert NOW + timedelta(days=90) == leaf.not_valid_after_utc


@pytest.mark.parametrize("name", ["", "a b", "-x", "x-", "a/b", "+", "#", "DMG-01\nuser ingest", "a.b", "x" * 65])
def test_a_name_that_could_mean_something_to_the_broker_is_refused(name: str) -> None:
    with pytest.raises(ca.RefusedToSign):
        client(name=name)


def test_a_request_with_a_key_on_another_curve_is_refused() -> None:
    csr = ca.request(ec.generate_private_key(ec.SECP384R1()), "DMG-01")
    with pytest.raises(ca.RefusedToSign, match="P-256"):
        ca.client_certificate(ISSUING, csr, name="DMG-01", now=NOW)


def test_a_request_signed_by_another_key_is_refused() -> None:
    stolen, mine = ca.new_key().public_key(), ca.new_key()
    forged = x509.load_der_x509_csr(_csr_for(stolen, signed_by=mine))
    with pytest.raises(ca.RefusedToSign, match="not signed by the key"):
        ca.client_certificate(ISSUING, forged, name="DMG-01", now=NOW)


def test_a_broker_certificate_needs_a_host() -> None:
    with pytest.raises(ca.RefusedToSign):
        server()


def test_the_revocation_list_is_read_back_as_it_was_made() -> None:
    gone = ca.Revocation(client().serial_number, NOW)
    listed = ca.revocation_list(ISSUING, [gone], number=7, now=NOW)
    assert ca.revocations(listed) == (gone,)
    assert ca.list_number(listed) == 7
    assert listed.is_signature_valid(ISSUING.certificate.public_key())  # type: ignore[arg-type]  # it is an EC key


def test_the_revocation_list_is_valid_for_30_days() -> None:
    listed = ca.revocation_list(ISSUING, (), number=1, now=NOW)
    assert listed.next_update_utc == NOW + timedelta(days=30)


def _csr_for(key: ec.EllipticCurvePublicKey, *, signed_by: ec.EllipticCurvePrivateKey) -> bytes:
    """A request of *signed_by* in which the public key is replaced by *key* (both P-256, so the lengths agree)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "DMG-01")])
    honest = x509.CertificateSigningRequestBuilder().subject_name(name).sign(signed_by, hashes.SHA256())
    info = (Encoding.X962, PublicFormat.UncompressedPoint)
    return honest.public_bytes(Encoding.DER).replace(
        signed_by.public_key().public_bytes(*info), key.public_bytes(*info)
    )

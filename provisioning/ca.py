"""Certificates of the fleet as values: a root, the issuing authority below it, what that signs, and what it revokes.

ECDSA P-256 throughout. Nothing here touches a file, a clock or a socket; *now* is always an argument (aware, UTC).
The key of a machine is made on the machine: the authority sees its request (CSR) and decides the name itself.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_LIFETIME = timedelta(days=20 * 365)
ISSUING_LIFETIME = timedelta(days=10 * 365)
CLIENT_LIFETIME = timedelta(days=90)
SERVER_LIFETIME = timedelta(days=397)
REVOCATION_LIFETIME = timedelta(days=30)
CLOCK_SLACK = timedelta(minutes=5)
"""A certificate is valid from a little before it is made: the clocks of two computers never quite agree."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


class RefusedToSign(ValueError):
    """The authority will not sign this; the message says what to correct in the request or the name."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign others, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Revocation:
    """One certificate that is no longer believed, and since when."""

    serial: int
    at: datetime


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def new_root(now: datetime) -> Authority:
    """The root: signs the issuing authority once, then its key belongs in a drawer."""
    key, name = new_key(), _named("Hadir Root CA")
    built = _authority_builder(name, key.public_key(), now, lifetime=ROOT_LIFETIME, path_length=1)
    return Authority(built.issuer_name(name).sign(key, hashes.SHA256()), key)


def new_issuing(root: Authority, now: datetime) -> Authority:
    """The authority in daily use: signs machines, services and brokers, but no further authority."""
    key = new_key()
    built = _authority_builder(
        _named("Hadir Issuing CA"), key.public_key(), now, lifetime=ISSUING_LIFETIME, path_length=0
    )
    return Authority(_signed_by(root, built), key)


def request(key: ec.EllipticCurvePrivateKey, name: str) -> x509.CertificateSigningRequest:
    """What a machine sends to be signed: its public key and the name it believes it has."""
    return x509.CertificateSigningRequestBuilder().subject_name(_named(name)).sign(key, hashes.SHA256())


def client_certificate(
    issuing: Authority,
    csr: x509.CertificateSigningRequest,
    *,
    name: str,
    now: datetime,
    lifetime: timedelta = CLIENT_LIFETIME,
) -> x509.Certificate:
    """Let the holder of the requested key speak to the broker as *name*, whatever name the request itself carries."""
    if not _NAME.fullmatch(name):
        raise RefusedToSign(f"{name!r} cannot name a machine or service: use letters, digits and '-', at most 64.")
    built = _leaf_builder(_named(name), _requested_key(csr), now, lifetime=lifetime)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return _signed_by(issuing, built.add_extension(usage, critical=False))


def server_certificate(
    issuing: Authority, csr: x509.CertificateSigningRequest, *, hosts: Sequence[str], now: datetime
) -> x509.Certificate:
    """Let the holder of the requested key be the broker at *hosts* (names or IP addresses); never a client."""
    if not hosts:
        raise RefusedToSign("A broker certificate needs at least one host name or IP address.")
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    built = _leaf_builder(_named(hosts[0]), _requested_key(csr), now, lifetime=SERVER_LIFETIME)
    return _signed_by(issuing, built.add_extension(names, critical=False).add_extension(usage, critical=False))


def revocation_list(
    issuing: Authority, revoked: Sequence[Revocation], *, number: int, now: datetime
) -> x509.CertificateRevocationList:
    """The list a broker checks. Past its 30 days it refuses every machine, so it is made again daily."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuing.certificate.subject)
        .last_update(now - CLOCK_SLACK)
        .next_update(now + REVOCATION_LIFETIME)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_issued_by(issuing), critical=False)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuing.key, hashes.SHA256())


def revocations(listed: x509.CertificateRevocationList) -> tuple[Revocation, ...]:
    """Read a list back: the list itself is the record of what was revoked."""
    return tuple(Revocation(entry.serial_number, entry.revocation_date_utc) for entry in listed)


def list_number(listed: x509.CertificateRevocationList) -> int:
    """The running number of a list; each one made later has a higher one."""
    return listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def common_name(certificate: x509.Certificate) -> str:
    """The name the broker takes as user name."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def pem(*signed: x509.Certificate | x509.CertificateRevocationList | x509.CertificateSigningRequest) -> bytes:
    """One PEM text of everything given, in that order (a chain starts with its leaf)."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in signed)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as unencrypted PKCS 8; whoever writes it to a file makes that file 0600."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _requested_key(csr: x509.CertificateSigningRequest) -> ec.EllipticCurvePublicKey:
    key = csr.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RefusedToSign("The request carries a key of another kind: make an ECDSA key on the curve P-256.")
    try:
        signed_by_its_key = csr.is_signature_valid
    except InvalidSignature:
        signed_by_its_key = False
    if not signed_by_its_key:
        raise RefusedToSign("The request is not signed by the key it carries: damaged or forged; make a new one.")
    return key


def _builder(
    name: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, *, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority_builder(
    name: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, *, lifetime: timedelta, path_length: int
) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    built = _builder(name, key, now, lifetime=lifetime).add_extension(constraints, critical=True)
    return built.add_extension(_key_usage(signs_others=True), critical=True)


def _leaf_builder(
    name: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, *, lifetime: timedelta
) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    built = _builder(name, key, now, lifetime=lifetime).add_extension(constraints, critical=True)
    return built.add_extension(_key_usage(signs_others=False), critical=True)


def _key_usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(authority: Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _signed_by(authority: Authority, built: x509.CertificateBuilder) -> x509.Certificate:
    named = built.issuer_name(authority.certificate.subject).add_extension(_issued_by(authority), critical=False)
    return named.sign(authority.key, hashes.SHA256())

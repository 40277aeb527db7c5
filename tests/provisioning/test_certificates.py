import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provisioning import ca, certificates
from provisioning.certificates import AuthorityFolder

NOW = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> AuthorityFolder:
    return AuthorityFolder.init(tmp_path / "ca", NOW)


def listed(folder: AuthorityFolder) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((folder.path / "crl.pem").read_bytes())


def test_every_key_file_is_readable_by_its_owner_alone(folder: AuthorityFolder, tmp_path: Path) -> None:
    folder.issue_client("DMG-01", tmp_path, now=NOW)
    folder.issue_server(["localhost"], tmp_path / "tls", now=NOW)
    keys = list(tmp_path.rglob("*.key"))
    assert len(keys) == 4
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_an_authority_is_never_overwritten(folder: AuthorityFolder) -> None:
    before = (folder.path / "root.pem").read_bytes()
    with pytest.raises(certificates.NoAuthority, match="already holds"):
        AuthorityFolder.init(folder.path, NOW)
    assert (folder.path / "root.pem").read_bytes() == before


def test_a_client_gets_its_chain_its_key_and_the_root_to_trust(folder: AuthorityFolder, tmp_path: Path) -> None:
    folder.issue_client("DMG-01", tmp_path / "out", now=NOW)
    leaf, issuing = x509.load_pem_x509_certificates((tmp_path / "out" / "DMG-01.pem").read_bytes())
    (root,) = x509.load_pem_x509_certificates((tmp_path / "out" / "ca.pem").read_bytes())
    assert ca.common_name(leaf) == "DMG-01"
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)


def test_revoking_lists_every_certificate_of_that_name_and_no_other(folder: AuthorityFolder, tmp_path: Path) -> None:
    for name in ("DMG-01", "DMG-01", "DMG-011", "DMG-02"):
        folder.issue_client(name, tmp_path, now=NOW)
    assert folder.revoke("DMG-01", now=NOW) == 2
    assert len(listed(folder)) == 2


def test_revoking_again_adds_nothing_and_forgets_nothing(folder: AuthorityFolder, tmp_path: Path) -> None:
    folder.issue_client("DMG-01", tmp_path, now=NOW)
    folder.issue_client("DMG-02", tmp_path, now=NOW)
    folder.revoke("DMG-01", now=NOW)
    assert folder.revoke("DMG-01", now=NOW + timedelta(days=1)) == 0
    assert folder.revoke("DMG-02", now=NOW + timedelta(days=1)) == 1
    assert {one.at for one in ca.revocations(listed(folder))} == {NOW, NOW + timedelta(days=1)}


def test_revoking_a_name_that_was_never_issued_says_so(folder: AuthorityFolder) -> None:
    with pytest.raises(certificates.NothingIssued, match="check the name"):
        folder.revoke("DMG-09", now=NOW)


def test_a_renewed_list_keeps_the_revocations_and_has_a_higher_number(folder: AuthorityFolder, tmp_path: Path) -> None:
    folder.issue_client("DMG-01", tmp_path, now=NOW)
    folder.revoke("DMG-01", now=NOW)
    before = listed(folder)
    folder.renew_list(NOW + timedelta(days=40))
    assert ca.revocations(listed(folder)) == ca.revocations(before)
    assert ca.list_number(listed(folder)) == ca.list_number(before) + 1
    assert listed(folder).next_update_utc == NOW + timedelta(days=70)


def test_a_folder_without_an_authority_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(certificates.NoAuthority, match="ca init"):
        AuthorityFolder(tmp_path).renew_list(NOW)

"""The authority's folder, and the command `hadir-provision ca`: what `provisioning.ca` makes, kept as files.

    root.pem root.key · issuing.pem issuing.key · chain.pem (issuing + root) · crl.pem · issued/NAME.SERIAL.pem

Key files are 0600. Whoever holds issuing.key can make machines; root.key is needed once and belongs offline.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning import ca, files

log = logging.getLogger(__name__)


class NoAuthority(click.ClickException):
    """The folder is not, or not yet, an authority's; or it already is one."""


class NothingIssued(click.ClickException):
    """There is no certificate under that name that could be revoked."""


@dataclass(frozen=True, slots=True)
class AuthorityFolder:
    """One authority on disk. Every method that signs takes the time of signing."""

    path: Path

    @classmethod
    def init(cls, path: Path, now: datetime) -> "AuthorityFolder":
        """Make root, issuing authority and a first, empty revocation list. Refuses a folder that already has one."""
        if (path / "root.pem").exists():
            raise NoAuthority(f"{path} already holds an authority; replacing it would cut off every machine it signed.")
        (path / "issued").mkdir(parents=True, exist_ok=True)
        root = ca.new_root(now)
        issuing = ca.new_issuing(root, now)
        for name, authority in (("root", root), ("issuing", issuing)):
            files.create(path / f"{name}.key", ca.key_pem(authority.key), mode=files.SECRET)
            files.create(path / f"{name}.pem", ca.pem(authority.certificate))
        files.create(path / "chain.pem", ca.pem(issuing.certificate, root.certificate))
        files.create(path / "crl.pem", ca.pem(ca.revocation_list(issuing, (), number=1, now=now)))
        return cls(path)

    def sign_client(self, csr: x509.CertificateSigningRequest, *, name: str, now: datetime) -> bytes:
        """The chain (leaf first) with which the holder of the requested key speaks as *name*."""
        issuing = self._issuing()
        leaf = ca.client_certificate(issuing, csr, name=name, now=now)
        files.create(self.path / "issued" / f"{name}.{leaf.serial_number:x}.pem", ca.pem(leaf))
        log.info("a client certificate was issued", extra={"action": "certificate_issued", "name_issued": name})
        return ca.pem(leaf, issuing.certificate)

    def issue_client(self, name: str, out: Path, *, now: datetime) -> None:
        """Make key and certificate of a service (or a demo machine): OUT/NAME.key, OUT/NAME.pem, OUT/ca.pem."""
        key = ca.new_key()
        chain = self.sign_client(ca.request(key, name), name=name, now=now)
        out.mkdir(parents=True, exist_ok=True)
        files.replace(out / f"{name}.key", ca.key_pem(key), mode=files.SECRET)
        files.replace(out / f"{name}.pem", chain)
        files.replace(out / "ca.pem", (self.path / "root.pem").read_bytes())

    def issue_server(self, hosts: Sequence[str], out: Path, *, now: datetime) -> None:
        """Make all that deploy/mosquitto.conf reads from tls/: server.key, server.pem, ca.pem (chain), crl.pem."""
        key, issuing = ca.new_key(), self._issuing()
        leaf = ca.server_certificate(issuing, ca.request(key, hosts[0]), hosts=hosts, now=now)
        out.mkdir(parents=True, exist_ok=True)
        files.replace(out / "server.key", ca.key_pem(key), mode=files.SECRET)
        files.replace(out / "server.pem", ca.pem(leaf, issuing.certificate))
        for name, source in (("ca.pem", "chain.pem"), ("crl.pem", "crl.pem")):
            files.replace(out / name, (self.path / source).read_bytes())

    def revoke(self, name: str, *, now: datetime) -> int:
        """Stop believing every certificate ever issued to *name*; answers how many were believed until now."""
        issued = [x509.load_pem_x509_certificate(file.read_bytes()) for file in self._issued(name)]
        listed = {revocation.serial for revocation in ca.revocations(self._list())}
        fresh = [ca.Revocation(one.serial_number, now) for one in issued if one.serial_number not in listed]
        if not issued:
            raise NothingIssued(f"No certificate was issued to {name!r} here, so nothing was revoked: check the name.")
        self._write_list((*ca.revocations(self._list()), *fresh), now)
        log.info("certificates were revoked", extra={"action": "certificates_revoked", "name_issued": name})
        return len(fresh)

    def renew_list(self, now: datetime) -> None:
        """Publish the same revocations for 30 more days. Daily: brokers refuse everybody once the list has expired."""
        self._write_list(ca.revocations(self._list()), now)

    def _write_list(self, revoked: Sequence[ca.Revocation], now: datetime) -> None:
        number = ca.list_number(self._list()) + 1
        files.replace(
            self.path / "crl.pem", ca.pem(ca.revocation_list(self._issuing(), revoked, number=number, now=now))
        )

    def _issued(self, name: str) -> list[Path]:
        return sorted(file for file in (self.path / "issued").glob("*.pem") if file.name.split(".")[0] == name)

    def _list(self) -> x509.CertificateRevocationList:
        return x509.load_pem_x509_crl(self._read("crl.pem"))

    def _issuing(self) -> ca.Authority:
        key = serialization.load_pem_private_key(self._read("issuing.key"), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise NoAuthority(f"{self.path / 'issuing.key'} is not an ECDSA key: restore it from the backup.")
        return ca.Authority(x509.load_pem_x509_certificate(self._read("issuing.pem")), key)

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            raise NoAuthority(f"{self.path} has no {name}: make an authority with `hadir-provision ca init`.") from None


_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("ca")
def group() -> None:
    """Certificates: make the authority, sign, revoke."""


@group.command()
@click.argument("folder", type=_FOLDER)
@click.pass_obj
def init(now: datetime, folder: Path) -> None:
    """Make a new authority in FOLDER."""
    AuthorityFolder.init(folder, now)
    click.echo(f"Authority made in {folder}. Move root.key to an offline place; daily work needs only issuing.key.")


@group.command()
@click.argument("folder", type=_FOLDER)
@click.option("--host", "hosts", multiple=True, help="Name or IP address of the broker; repeat for more.")
@click.option("--out", type=_FOLDER, default=Path("tls"), show_default=True)
@click.pass_obj
def server(now: datetime, folder: Path, hosts: tuple[str, ...], out: Path) -> None:
    """Make the broker's certificate, always also valid for localhost."""
    AuthorityFolder(folder).issue_server((*hosts, "localhost", "127.0.0.1"), out, now=now)
    click.echo(f"Broker certificate written to {out}.")


@group.command()
@click.argument("folder", type=_FOLDER)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--csr", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Sign this request.")
@click.option("--out", type=_FOLDER, default=Path(), help="Where NAME.pem (and without --csr NAME.key) go.")
@click.pass_obj
def issue(now: datetime, folder: Path, names: tuple[str, ...], csr: Path | None, out: Path) -> None:
    """Sign a client certificate for each machine or service NAME; without --csr make its key here too."""
    if csr is not None and len(names) > 1:
        raise click.UsageError("A request is one machine's: give one NAME with --csr.")
    authority = AuthorityFolder(folder)
    try:
        for name in names:
            if csr is None:
                authority.issue_client(name, out, now=now)
            else:
                asked = x509.load_pem_x509_csr(csr.read_bytes())
                files.replace(out / f"{name}.pem", authority.sign_client(asked, name=name, now=now))
            click.echo(f"Certificate written to {out / f'{name}.pem'}.")
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@group.command()
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.pass_obj
def revoke(now: datetime, folder: Path, name: str) -> None:
    """Stop believing every certificate of NAME. Then also remove NAME from the broker: see `hadir-provision broker`."""
    count = AuthorityFolder(folder).revoke(name, now=now)
    click.echo(
        f"{count} certificate(s) of {name} revoked; now `hadir-provision broker crl` and `broker acl`, with --reload."
    )


@group.command()
@click.argument("folder", type=_FOLDER)
@click.pass_obj
def crl(now: datetime, folder: Path) -> None:
    """Make the revocation list again, valid 30 more days. Run daily."""
    AuthorityFolder(folder).renew_list(now)
    click.echo(f"Revocation list written to {folder / 'crl.pem'}; now `hadir-provision broker crl`, with --reload.")

"""When the broker's revocation list expires: read from the file itself, which is what the broker goes by."""

from __future__ import annotations

import logging
from pathlib import Path

from cryptography import x509

log = logging.getLogger(__name__)


def expires_ms(path: Path) -> int | None:
    """When the list in *path* (PEM) expires; None = it cannot be told, and that is logged."""
    try:
        listed = x509.load_pem_x509_crl(path.read_bytes())
    except (OSError, ValueError) as error:
        kind = error.__class__.__name__
        log.warning("The revocation list cannot be read (%s)", kind, extra={"action": "crl_unreadable"})
        return None
    end = listed.next_update_utc
    return None if end is None else round(end.timestamp() * 1000)

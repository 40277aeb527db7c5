"""A real InfluxDB 2 (INFLUX_URL, INFLUX_TOKEN_FILE with the operator's token), in an organisation of our own.

It has never been met in the checks: there is none for Debian, and images cannot be fetched there.
"""

import os
import secrets
from pathlib import Path
from typing import Any

from asking import Asking

IS_GIVEN = bool(os.environ.get("INFLUX_URL") and os.environ.get("INFLUX_TOKEN_FILE"))
MARK = "hadir: "


class RealInflux:
    """Like the small one; `close` takes the organisation away with all that is in it."""

    def __init__(self) -> None:
        self.url = os.environ["INFLUX_URL"].rstrip("/")
        self.operator = Path(os.environ["INFLUX_TOKEN_FILE"]).read_text().strip()
        self.org = f"hadir-test-{secrets.token_hex(4)}"
        self._api = Asking(f"{self.url}/api/v2", {"Authorization": f"Token {self.operator}"})
        self.number = self._api.ask("POST", "/orgs", {"name": self.org})["id"]

    def close(self) -> None:
        for token in self._tokens():
            self._api.ask("DELETE", f"/authorizations/{token['id']}")
        self._api.ask("DELETE", f"/orgs/{self.number}")

    def kept(self) -> dict[str, int]:
        return {name: sum(rule["everySeconds"] for rule in b["retentionRules"]) for name, b in self._buckets().items()}

    def ours(self) -> dict[str, set[tuple[str, str]]]:
        names = {bucket["id"]: name for name, bucket in self._buckets().items()}
        return {
            token["description"].removeprefix(MARK): {
                (right["action"], names[right["resource"]["id"]]) for right in token["permissions"]
            }
            for token in self._tokens()
        }

    def keep_for(self, bucket: str, seconds: int) -> None:
        rules = [{"type": "expire", "everySeconds": seconds}]
        self._api.ask("PATCH", f"/buckets/{self._buckets()[bucket]['id']}", {"retentionRules": rules})

    def open_wider(self, holder: str, bucket: str) -> None:
        """A token's rights never change: somebody made another one under the same name."""
        right = {"action": "read", "resource": {"type": "buckets", "id": self._buckets()[bucket]["id"]}}
        right["resource"] |= {"orgID": self.number}
        wider = {"orgID": self.number, "description": f"{MARK}{holder}", "permissions": [right]}
        self._api.ask("POST", "/authorizations", wider)

    def make_bucket(self, name: str) -> None:
        """One that keeps for ever, for a past of our own."""
        self._api.ask("POST", "/buckets", {"orgID": self.number, "name": name, "retentionRules": []})

    def _buckets(self) -> dict[str, Any]:
        listed = self._api.ask("GET", f"/buckets?orgID={self.number}&limit=100")["buckets"]
        return {bucket["name"]: bucket for bucket in listed if not bucket["name"].startswith("_")}

    def _tokens(self) -> list[Any]:
        listed = self._api.ask("GET", f"/authorizations?orgID={self.number}")["authorizations"]
        return [token for token in listed if token.get("description", "").startswith(MARK)]

"""The broker refuses machines: certificates revoked, a revocation list that ran out. The taps wait in the outbox."""

from datetime import UTC, datetime, timedelta
from typing import Final

from bench.chaos.rig import Rig, standing
from bench.chaos.score import Score
from bench.chaos.stage import Stage
from contract.topics import DeviceId
from demo.servers.process import wait_for

REVOKED: Final = DeviceId("DMG-02")
LIST_LIFETIME: Final = timedelta(days=30)
REFUSED: Final = "No connection"


def certificate_revoked(stage: Stage) -> Score:
    """A machine's certificate is revoked while it is connected; later it gets a new one."""
    with standing(stage) as rig:
        rig.start()
        machine = rig.machine(REVOKED)
        rig.lay(0.3)
        rig.broker.revoke(REVOKED)
        rig.lay(0.3)
        before = machine.logged(REFUSED)
        rig.broker.restart()
        wait_for(lambda: machine.logged(REFUSED) > before, "The refusal of the revoked machine")
        rig.lay(0.2)
        rig.broker.issue(REVOKED)
        rig.broker.admit(REVOKED)
        rig.mended()
        rig.lay(0.2)
        rig.settle()
        return rig.score()


def revocations_expired(stage: Stage) -> Score:
    """Nobody made the revocation list again for 30 days: the broker refuses everybody until somebody does."""
    with standing(stage) as rig:
        rig.start()
        rig.lay(0.3)
        _publish_list(rig, datetime.now(UTC) - LIST_LIFETIME - timedelta(hours=1))
        before = [machine.logged(REFUSED) for machine in rig.machines]
        rig.broker.restart()
        wait_for(
            lambda: all(machine.logged(REFUSED) > old for machine, old in zip(rig.machines, before, strict=True)),
            "The refusal of everybody",
        )
        rig.lay(0.4)
        _publish_list(rig, datetime.now(UTC))
        rig.broker.reload()
        rig.mended()
        rig.lay(0.3)
        rig.settle()
        return rig.score()


def _publish_list(rig: Rig, now: datetime) -> None:
    rig.broker.authority.renew_list(now)
    rig.broker.install_revocations()

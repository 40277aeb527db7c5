"""Flags, their chain of events, silences, who read about whom. By `migrate.revise`, then read; triggers by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER flag_events_no_{verb.lower()} BEFORE {verb} ON flag_events "
        "BEGIN SELECT RAISE(ABORT, 'flag_events is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'flag_events is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER flag_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON flag_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "disclosures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.CheckConstraint("reader <> ''", name=op.f("ck_disclosures_reader")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
    )
    op.create_index(op.f("ix_disclosures_at_ms"), "disclosures", ["at_ms"], unique=False)
    op.create_table(
        "flag_silences",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.CheckConstraint("reason <> '' AND author <> ''", name=op.f("ck_flag_silences_reason_and_author")),
        sa.CheckConstraint("until_ms > from_ms", name=op.f("ck_flag_silences_ends_after_it_begins")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_silences")),
    )
    op.create_index(op.f("ix_flag_silences_until_ms"), "flag_silences", ["until_ms"], unique=False)

    op.create_table(
        "flags",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("condition", sa.String(length=12), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=2), nullable=False),
        sa.Column("gate", sa.String(length=12), nullable=False),
        sa.Column("hushed", sa.Text(), nullable=False),
        sa.Column("told", sa.String(length=8), nullable=False),
        sa.Column("handling", sa.String(length=12), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("acknowledged_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=True),
        sa.Column("recovering_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("policy", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(ended_ms IS NULL) = (condition IN ('pending', 'open', 'recovering'))", name=op.f("ck_flags_ended")
        ),
        sa.CheckConstraint(
            "condition IN ('pending', 'open', 'recovering', 'closed', 'retracted', 'superseded')",
            name=op.f("ck_flags_condition"),
        ),
        sa.CheckConstraint("gate IN ('', 'held', 'released', 'dismissed')", name=op.f("ck_flags_gate")),
        sa.CheckConstraint(
            "handling IN ('new', 'acknowledged', 'assigned', 'decided')", name=op.f("ck_flags_handling")
        ),
        sa.CheckConstraint("(number IS NULL) = (opened_ms IS NULL)", name=op.f("ck_flags_number_when_opened")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
        sa.UniqueConstraint("number", name=op.f("uq_flags_number")),
    )
    op.create_index("ix_flags_ended_ms", "flags", ["ended_ms"], unique=False)
    op.create_index("ix_flags_estate_kind", "flags", ["estate", "kind"], unique=False)
    op.create_index("ix_flags_subject", "flags", ["subject"], unique=False)
    op.create_index(
        "uq_flags_living",
        "flags",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("condition IN ('pending', 'open', 'recovering')"),
        postgresql_where=sa.text("condition IN ('pending', 'open', 'recovering')"),
    )

    op.create_table(
        "flag_events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("flag", sa.BigInteger(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_flag_events_flag_flags")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_events")),
        sa.UniqueConstraint("hash", name=op.f("uq_flag_events_hash")),
    )
    op.create_index(op.f("ix_flag_events_flag"), "flag_events", ["flag"], unique=False)

    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)

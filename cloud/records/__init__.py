"""SQL: who lives where, who was present on which day, what was decided. The only importer of SQLAlchemy."""

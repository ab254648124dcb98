"""What is in a database, as JSON. Run by the Python of Glance's environment, which has SQLAlchemy
and the drivers.

    tables.py rows URL          every row of every table
    tables.py schema URL        tables, columns, indexes and keys
    tables.py run URL           the statements on standard input, one a line
"""

import json
import sys

import sqlalchemy


def rows(engine):
    tables = reflected(engine)
    with engine.connect() as connection:
        return {
            table.name: [as_json(row) for row in connection.execute(table.select()).mappings()]
            for table in tables
        }


def as_json(row):
    """Values with their types: 0 is not False, and no text."""
    return {name: plain(value) for name, value in row.items()}


def plain(value):
    known = value is None or isinstance(value, (bool, int, str))
    return value if known else f"{type(value).__name__} {value}"


def schema(engine):
    inspector = sqlalchemy.inspect(engine)
    return {
        name: {
            "columns": [text(column) for column in inspector.get_columns(name)],
            "indexes": sorted(map(text, inspector.get_indexes(name))),
            "unique": sorted(map(text, inspector.get_unique_constraints(name))),
            "primary": text(inspector.get_pk_constraint(name)),
            "foreign": sorted(map(text, inspector.get_foreign_keys(name))),
            # Names of theirs are numbers that the server counts up.
            "checks": sorted(check["sqltext"] for check in inspector.get_check_constraints(name)),
        }
        for name in sorted(inspector.get_table_names())
    }


def text(described):
    return str(sorted((name, str(value)) for name, value in described.items()))


def run(engine):
    with engine.connect() as connection:
        # A percent sign is one.
        how = {"isolation_level": "AUTOCOMMIT", "no_parameters": True}
        connection = connection.execution_options(**how)
        for statement in filter(str.strip, sys.stdin):
            connection.exec_driver_sql(statement)
    return None


def reflected(engine):
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine)
    return sorted(metadata.tables.values(), key=lambda table: table.name)


COMMANDS = {"rows": rows, "schema": schema, "run": run}

if __name__ == "__main__":
    command, url = sys.argv[1:]
    engine = sqlalchemy.create_engine(url)
    json.dump(COMMANDS[command](engine), sys.stdout)

"""A database that one of the two has made is one of the other's."""

REVISION = "2024_1_contract01"


def test_glance_takes_a_database_that_tintype_made(cloud):
    cloud.tintype_db("sync")
    if cloud.database.kind != "postgresql":
        # There, Glance checks no database at all.
        assert "No upgrades needed" in cloud.manage("db", "check")
    assert REVISION in cloud.manage("db", "version")
    before = cloud.database.schema()
    cloud.manage("db", "sync")
    assert cloud.database.schema() == before


def test_both_make_the_same_schema(clouds, kind):
    theirs, ours = clouds(kind), clouds(kind)
    theirs.manage("db", "sync")
    ours.tintype_db("sync")
    theirs, ours = theirs.database.schema(), ours.database.schema()
    assert theirs.keys() == ours.keys()
    for table in theirs:
        assert ours[table] == theirs[table], table


def test_tintype_takes_a_database_that_glance_made_as_it_is(cloud):
    cloud.manage("db", "sync")
    before = cloud.database.schema(), rows(cloud)
    assert "No migrations needed" in cloud.tintype_db("sync")
    assert "up to date" in cloud.tintype_db("check")
    assert cloud.tintype_db("version").strip() == REVISION
    cloud.tintype().stop()
    assert (cloud.database.schema(), rows(cloud)) == before


def rows(cloud):
    """All rows but those by which nodes with a cache name themselves, Glance's too."""
    return {name: rows for name, rows in cloud.database.rows().items() if name != "node_reference"}


def test_an_older_database_waits_for_glance(cloud):
    """The step that is missing is Glance's to make; then tintype takes the database."""
    cloud.manage("db", "upgrade", "--version", "2023_1_contract01")
    before = cloud.database.schema(), cloud.database.rows()
    assert "glance-manage db expand" in cloud.tintype_db("check", status=3)
    assert "glance-manage db sync" in cloud.tintype_db("sync", status=1)
    assert (cloud.database.schema(), cloud.database.rows()) == before
    if cloud.database.kind == "postgresql":
        # Glance upgrades it in one step alone.
        cloud.manage("db", "sync")
    else:
        cloud.manage("db", "expand")
        assert "glance-manage db contract" in cloud.tintype_db("check", status=5)
        cloud.manage("db", "contract")
    assert "up to date" in cloud.tintype_db("check")

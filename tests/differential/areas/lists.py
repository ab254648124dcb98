"""`GET /v2/images`: filters, order, pages."""

from differential.cases import Case, get, post

CONFIGURATION = "plain"

# Images that the queries choose among; `family` keeps those of other cases out.
FAMILY = "family=lists"
IMAGES = [
    {"name": "alpha", "disk_format": "raw", "container_format": "bare", "tags": ["red", "big"]},
    {"name": "Beta", "disk_format": "qcow2", "container_format": "bare", "tags": ["red"]},
    {"name": "gamma, delta", "min_disk": 5, "min_ram": 512, "os_distro": "debian"},
    {"name": 'a "quoted" name', "protected": True, "visibility": "community"},
    {"name": "alpha", "visibility": "private", "os_distro": "Debian", "tags": ["größe"]},
    {"name": None, "os_hidden": True},
    {"name": "über", "container_format": "ova", "disk_format": "vmdk"},
]


def setup():
    """The images, each created a moment after the one before."""
    steps = []
    for number, fields in enumerate(IMAGES):
        steps.append(post("/v2/images", {"family": "lists", "id": ID % number} | fields).given())
    return steps


ID = "aaaaaaaa-0000-4000-8000-%012d"
QUERIES = """
limit=0
limit=1
limit=3
limit=1000
limit=1001
limit=-1
limit=x
limit=1.5
limit=
limit=%201
limit=99999999999999999999
limit=2&limit=1
marker={0}
marker={2}&limit=1
marker=99999999-0000-4000-8000-000000000000
marker=x
marker=
marker={1}&marker={2}
name=alpha
name=Alpha
name=
name=nobody
name=in:alpha,Beta
name=in:
name=in:%22gamma,%20delta%22
name=in:%22gamma,%20delta%22,alpha
name=in:%22a%20%5C%22quoted%5C%22%20name%22
name=in:%22open
name=in:a%22b
name=in:,
name=in:%22a%22b
name=in:alpha,
name=%C3%BCber
name=%25
name=al_ha
name=null
name=None
name=alpha&name=Beta
status=queued
status=active
status=in:queued,active
status=sleeping
status=in:queued,sleeping
status=
visibility=private
visibility=shared
visibility=community
visibility=public
visibility=all
visibility=secret
visibility=
owner={one}
owner={two}
owner=
owner=in:{one},{two}
tag=red
tag=red&tag=big
tag=red&tag=none
tag=
tag=%20red
tag=gr%C3%B6%C3%9Fe
tag=Red
tag=in:red,big
size_min=0
size_min=1
size_min=x
size_min=-1
size_min=
size_max=5
size_max=x
size_max=-1
size_min=5&size_max=1
size=0
min_disk=5
min_disk=x
min_disk=
min_disk=-1
min_ram=512
min_ram=0512
min_ram=gt:5
protected=true
protected=True
protected=TRUE
protected=false
protected=1
protected=0
protected=yes
protected=x
protected=
os_hidden=true
os_hidden=false
os_hidden=TRUE
os_hidden=x
os_hidden=1
os_hidden=
container_format=bare
container_format=in:bare,ova
container_format=box
container_format=
disk_format=raw
disk_format=in:raw,qcow2
disk_format=in:raw,
disk_format=floppy
id={0}
id=in:{0},{1}
id=x
id=in:x,{1}
id=
id={0}X
checksum=x
checksum=
os_hash_value=x
os_hash_algo=sha512
virtual_size=5
os_distro=debian
os_distro=Debian
os_distro=in:debian,Debian
os_distro=
os_distro=neq:debian
unknown=x
unknown=
=x
x
family
created_at=gt:2000-01-01T00:00:00Z
created_at=gte:2000-01-01T00:00:00Z
created_at=lt:2000-01-01T00:00:00Z
created_at=lte:2100-01-01T00:00:00Z
created_at=eq:2000-01-01T00:00:00Z
created_at=neq:2000-01-01T00:00:00Z
created_at=2000-01-01T00:00:00Z
created_at=gt:2000-01-01
created_at=gt:2000-01-01T00:00:00
created_at=gt:2000-01-01T00:00:00%2B02:00
created_at=gt:2000-01-01T00:00:00.123456Z
created_at=gt:2000-01-01T00:00Z
created_at=gt:20000101T000000Z
created_at=gt:2000
created_at=gt:yesterday
created_at=near:2000-01-01T00:00:00Z
created_at=gt:
created_at=
created_at=in:2000-01-01T00:00:00Z
updated_at=gt:2000-01-01T00:00:00Z
updated_at=lt:2000-01-01T00:00:00Z
updated_at=x
deleted=true
deleted=false
deleted=x
is_public=true
changes-since=2000-01-01T00:00:00Z
changes-since=
member_status=all
member_status=pending
member_status=accepted
member_status=rejected
member_status=x
member_status=
visibility=shared&member_status=all
sort=name
sort=name:asc
sort=name:desc
sort=name:asc,created_at:desc
sort=name:asc,id
sort=%20name:asc%20,%20id:asc
sort=colour:asc
sort=name:up
sort=name:
sort=:asc
sort=
sort=,
sort=name:asc,name:desc
sort=name:asc:x
sort=name:asc&sort=id:asc
sort=name:asc&sort_key=id
sort=name:asc&sort_dir=asc
sort_key=name
sort_key=name&sort_dir=asc
sort_key=name&sort_key=id
sort_key=name&sort_key=id&sort_dir=asc
sort_key=name&sort_key=id&sort_dir=asc&sort_dir=desc
sort_key=name&sort_dir=asc&sort_dir=desc
sort_key=name&sort_key=id&sort_key=size&sort_dir=asc&sort_dir=desc
sort_dir=asc
sort_dir=asc&sort_dir=desc
sort_dir=up
sort_key=colour
sort_key=
sort_key=owner
sort_key=min_ram
sort_key=size&sort_dir=asc
sort_key=status&sort_dir=asc
sort_key=disk_format&sort_dir=asc
sort_key=container_format&sort_dir=desc
sort_key=updated_at&sort_dir=asc
sort_key=id&sort_dir=asc&limit=2
sort_key=name&sort_dir=asc&limit=2&marker={0}
sort_key=name&sort_dir=desc&marker={5}
sort_key=disk_format&sort_dir=asc&marker={0}
sort_key=size&sort_dir=asc&marker={0}
sort_key=container_format&sort_dir=asc&marker={2}&limit=2
limit=1&name=in:alpha,Beta&sort=id:asc
limit=1&tag=red&tag=big
limit=1&name=%C3%BCber
limit=2&x%26y=1
limit=1&protected=true&visibility=community
name=%ff
n%C3%BCme=x
name=a%00b
name=a+b
""".strip().splitlines()


def ordered(query):
    """Where the order is not asked for it is that of creation: in the same second, Glance's is by
    id, so every query says how to break ties."""
    return query


def listed(query):
    for number in range(len(IMAGES)):
        query = query.replace("{%d}" % number, ID % number)
    return Case(f"list {query}", [get(f"/v2/images?{FAMILY}&{query}")])


CASES = [
    Case("list all", [*setup(), get("/v2/images?" + FAMILY)]),
    *[listed(query) for query in QUERIES],
    *[
        Case(f"list as {who}", [get(f"/v2/images?{FAMILY}&sort=id:asc").as_(who)])
        for who in ["admin", "reader", "other", None]
    ],
    Case(
        "list community images as a stranger",
        [get(f"/v2/images?{FAMILY}&visibility=community").as_("other")],
    ),
    Case(
        "list everything as a stranger",
        [get(f"/v2/images?{FAMILY}&visibility=all&sort=id:asc").as_("other")],
    ),
    Case("list another's as a stranger", [get(f"/v2/images?{FAMILY}&owner={{one}}").as_("other")]),
    Case(
        "list another's as an administrator",
        [get(f"/v2/images?{FAMILY}&owner={{one}}&sort=id:asc").as_("admin")],
    ),
    Case(
        "list what is hidden as an administrator",
        [get(f"/v2/images?{FAMILY}&os_hidden=true").as_("admin")],
    ),
    Case("list with a slash", [get("/v2/images/?" + FAMILY)]),
    Case("list with a body", [get("/v2/images?" + FAMILY, body=b"{}")]),
    Case(
        "list accepting HTML",
        [get("/v2/images?" + FAMILY + "&limit=1", headers={"Accept": "text/html"})],
    ),
    Case(
        "list accepting nothing known",
        [get("/v2/images?" + FAMILY + "&limit=1", headers={"Accept": "image/png"})],
    ),
]

CREATE TABLE domains (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    enabled     INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE projects (
    id          TEXT PRIMARY KEY,
    domain_id   TEXT NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    enabled     INTEGER NOT NULL DEFAULT 1,
    tags        TEXT NOT NULL DEFAULT '[]',
    -- Attributes that clients made up, as a JSON object.
    extra       TEXT NOT NULL DEFAULT '{}',
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE users (
    id                 TEXT PRIMARY KEY,
    domain_id          TEXT NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    name               TEXT NOT NULL,
    enabled            INTEGER NOT NULL DEFAULT 1,
    default_project_id TEXT REFERENCES projects (id) ON DELETE SET NULL,
    -- A PHC string; none for a user who can't log in by password.
    password_hash      TEXT,
    extra              TEXT NOT NULL DEFAULT '{}',
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE roles (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT
) STRICT;

CREATE TABLE implied_roles (
    prior_id   TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    implied_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (prior_id, implied_id)
) STRICT, WITHOUT ROWID;

-- Exactly one of project and domain is set.
CREATE TABLE assignments (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id TEXT REFERENCES projects (id) ON DELETE CASCADE,
    domain_id  TEXT REFERENCES domains (id) ON DELETE CASCADE,
    role_id    TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    CHECK ((project_id IS NULL) <> (domain_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX assignments_of_projects
    ON assignments (user_id, project_id, role_id) WHERE project_id IS NOT NULL;
CREATE UNIQUE INDEX assignments_of_domains
    ON assignments (user_id, domain_id, role_id) WHERE domain_id IS NOT NULL;

CREATE TABLE tokens (
    -- SHA-256 of the token: what leaks from here opens nothing.
    digest     BLOB PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id TEXT REFERENCES projects (id) ON DELETE CASCADE,
    domain_id  TEXT REFERENCES domains (id) ON DELETE CASCADE,
    -- JSON lists of strings.
    methods    TEXT NOT NULL,
    audit_ids  TEXT NOT NULL,
    -- Seconds since 1970.
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_expiry ON tokens (expires_at);
CREATE INDEX tokens_by_user ON tokens (user_id);

PRAGMA user_version = 1;

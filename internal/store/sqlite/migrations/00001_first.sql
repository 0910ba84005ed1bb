-- +goose Up

-- Every record is kept whole as JSON in doc; the other columns repeat what is searched or ordered by. Moments are
-- nanoseconds since 1970 in UTC, 0 is "never". owner_ref is the parent of a worker or pool, else the thing itself.

-- Plans without their steps. over is when nothing more happened in the plan, 0 while something may.
CREATE TABLE plans (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    site     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    incident TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    over     INTEGER NOT NULL,
    doc      TEXT    NOT NULL
);
CREATE INDEX plans_created ON plans (created);
CREATE INDEX plans_over ON plans (over);

CREATE TABLE steps (
    plan   INTEGER NOT NULL REFERENCES plans (n) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    target TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    began  INTEGER NOT NULL,
    ended  INTEGER NOT NULL,
    doc    TEXT    NOT NULL,
    PRIMARY KEY (plan, seq)
);
CREATE INDEX steps_state ON steps (plan, state);

-- Everything that a plan has as a target or wanted as a lock, for "which plans were about this?".
CREATE TABLE plan_refs (
    ref  TEXT    NOT NULL,
    plan INTEGER NOT NULL REFERENCES plans (n) ON DELETE CASCADE,
    PRIMARY KEY (ref, plan)
) WITHOUT ROWID;
CREATE INDEX plan_refs_plan ON plan_refs (plan);

-- Who may touch what. AUTOINCREMENT: a token never comes back, even after its lock is gone.
CREATE TABLE locks (
    token     INTEGER PRIMARY KEY AUTOINCREMENT,
    ref       TEXT    NOT NULL UNIQUE,
    owner_ref TEXT    NOT NULL,
    plan      INTEGER NOT NULL REFERENCES plans (n) ON DELETE CASCADE
);
CREATE INDEX locks_owner ON locks (owner_ref);
CREATE INDEX locks_plan ON locks (plan);

-- Who executes. A row stays after a release (owner ''), because its token must not come back.
CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    owner   TEXT    NOT NULL,
    token   INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE incidents (
    n      INTEGER PRIMARY KEY,
    id     TEXT    NOT NULL UNIQUE,
    target TEXT    NOT NULL,
    opened INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    doc    TEXT    NOT NULL
);
CREATE INDEX incidents_opened ON incidents (opened);
CREATE INDEX incidents_closed ON incidents (closed);
CREATE INDEX incidents_target ON incidents (target);

-- AUTOINCREMENT: a reader's cursor stays good after old events are pruned.
CREATE TABLE events (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    owner_ref TEXT    NOT NULL,
    incident  TEXT    NOT NULL,
    plan      TEXT    NOT NULL,
    doc       TEXT    NOT NULL
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_target ON events (target);
CREATE INDEX events_owner ON events (owner_ref);
CREATE INDEX events_incident ON events (incident) WHERE incident <> '';
CREATE INDEX events_plan ON events (plan) WHERE plan <> '';

-- Newest statuses of nodes and bridges, newest decisions about anything.
CREATE TABLE statuses (
    ref  TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    doc  TEXT NOT NULL
);
CREATE TABLE decisions (
    target TEXT NOT NULL PRIMARY KEY,
    doc    TEXT NOT NULL
);

CREATE TABLE facts (
    n         INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    target    TEXT    NOT NULL,
    owner_ref TEXT    NOT NULL,
    field     TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    source    TEXT    NOT NULL
);
CREATE INDEX facts_at ON facts (at);
CREATE INDEX facts_target ON facts (target, at);
CREATE INDEX facts_owner ON facts (owner_ref, at);

-- over is when the message reached a final state (for sent ones: when it was sent), 0 before.
CREATE TABLE messages (
    n       INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL UNIQUE,
    channel TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    over    INTEGER NOT NULL,
    doc     TEXT    NOT NULL
);
CREATE INDEX messages_over ON messages (over);

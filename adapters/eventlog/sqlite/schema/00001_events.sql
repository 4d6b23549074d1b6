-- +goose Up

-- What an event is called, and which shape its data has.
CREATE TABLE kinds (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (name, version)
);

-- The log: position counts up from 1 without a gap, in commit order.
-- envelope is binary (see envelope.go), data is JSON.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    kind     INTEGER NOT NULL,
    envelope BLOB    NOT NULL,
    data     BLOB    NOT NULL
);

-- Where a stream's events are: each append is a run of positions. The key
-- makes (stream, revision) unique, since runs of a stream adjoin.
CREATE TABLE runs (
    stream   TEXT    NOT NULL,
    revision INTEGER NOT NULL, -- of the run's first event
    position INTEGER NOT NULL, -- of the run's first event
    length   INTEGER NOT NULL,
    PRIMARY KEY (stream, revision)
) WITHOUT ROWID;

-- For people: SELECT * FROM log WHERE stream = 'list-…' ORDER BY revision.
CREATE VIEW log AS
SELECT e.position                           AS position,
       r.stream                             AS stream,
       r.revision + e.position - r.position AS revision,
       k.name                               AS type,
       k.version                            AS version,
       lower(hex(substr(e.envelope, 2, 16))) AS id,
       CAST(e.data AS TEXT)                 AS data
FROM runs r
JOIN events e ON e.position >= r.position AND e.position < r.position + r.length
JOIN kinds k ON k.id = e.kind;

-- +goose Down
DROP VIEW log;
DROP TABLE runs;
DROP TABLE events;
DROP TABLE kinds;

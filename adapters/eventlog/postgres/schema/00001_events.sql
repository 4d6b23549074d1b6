-- +goose Up

-- What an event is called, and which shape its data has.
CREATE TABLE kinds (
    id      integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name    text COLLATE "C" NOT NULL,
    version bigint           NOT NULL,
    UNIQUE (name, version)
);

-- One row: the position of the last event. Who appends locks it until the
-- commit, so that positions have no gap and commits their order.
CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    pos bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (pos) VALUES (0);

-- The log: position counts up from 1. Each append is a run of positions, of
-- which the first row says how many. Data is JSON.
CREATE TABLE events (
    position    bigint           NOT NULL PRIMARY KEY,
    revision    bigint           NOT NULL,
    at          timestamptz      NOT NULL,
    run         integer          NOT NULL, -- events in the run that begins here; 0: none does
    kind        integer          NOT NULL,
    id          uuid             NOT NULL,
    account     uuid,
    subject     uuid,
    actor       uuid,
    correlation uuid,
    causation   uuid,
    stream      text COLLATE "C" NOT NULL,
    data        bytea            NOT NULL
);
ALTER TABLE events ALTER COLUMN data SET STORAGE EXTERNAL;

-- Where a stream's runs are. It makes (stream, revision) unique, since runs of a stream adjoin.
CREATE UNIQUE INDEX runs ON events (stream, revision) WHERE run > 0;

-- For people: SELECT * FROM log WHERE stream = 'list-…' ORDER BY revision.
CREATE VIEW log AS
SELECT e.position, e.stream, e.revision, k.name AS type, k.version, e.id, e.at, convert_from(e.data, 'UTF8') AS data
FROM events e
JOIN kinds k ON k.id = e.kind;

-- +goose Down
DROP VIEW log;
DROP TABLE events;
DROP TABLE log_head;
DROP TABLE kinds;

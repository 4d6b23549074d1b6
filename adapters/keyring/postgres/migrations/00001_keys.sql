-- +goose Up

-- Everything is found by a primary key. Ids and hashes are 16 bytes, so uuid.

-- wrapped: epoch (4 bytes, big endian), nonce (12), key and tag (48).
CREATE TABLE keys (
    subject uuid     NOT NULL,
    class   smallint NOT NULL,
    wrapped bytea    NOT NULL,
    PRIMARY KEY (subject, class)
);

-- Who was erased, and how many keys they had: none is ever made for them again.
CREATE TABLE erased (subject uuid PRIMARY KEY, keys integer NOT NULL);

-- One row: keys are made in no epoch before this one.
CREATE TABLE epoch (oldest integer NOT NULL);

-- The installation's own secrets, wrapped by the root key.
CREATE TABLE secrets (purpose text PRIMARY KEY, wrapped bytea NOT NULL);

-- Secrets of accounts, each sealed with a key of its own, which is in keys under
-- subject. sealed is empty once that was shredded; the name is not used again.
CREATE TABLE kept (name text PRIMARY KEY, subject uuid NOT NULL, sealed bytea NOT NULL);

-- Keyed hashes of addresses.
CREATE TABLE directory (hash uuid PRIMARY KEY, person uuid NOT NULL);
CREATE TABLE suppressed (hash uuid PRIMARY KEY);

CREATE TYPE key_found AS (n bigint, wrapped bytea, erased boolean);

-- +goose StatementBegin
CREATE FUNCTION look(subjects uuid[], classes smallint[]) RETURNS SETOF key_found STABLE LANGUAGE sql AS $$
    SELECT a.n, k.wrapped, e.subject IS NOT NULL
    FROM unnest(subjects, classes) WITH ORDINALITY AS a(subject, class, n)
    LEFT JOIN keys k ON k.subject = a.subject AND k.class = a.class
    LEFT JOIN erased e ON e.subject = a.subject AND k.subject IS NULL
$$;
-- +goose StatementEnd

-- What adds enters the gate together with others, what takes away enters it
-- alone. What adds is one call of a function, so that a node which stops in the
-- middle of sending holds up nobody. It is PL/pgSQL, where each statement sees
-- what was committed before it began: who waited at the gate, what happened there.

-- mint adds the keys that are not there, of people who are not erased, and
-- returns what is there then: neither a key nor erased means too old an epoch.
-- +goose StatementBegin
CREATE FUNCTION mint(gate bigint, made_in integer, subjects uuid[], classes smallint[], wraps bytea[])
RETURNS SETOF key_found LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(gate);
    INSERT INTO keys (subject, class, wrapped)
    SELECT a.subject, a.class, a.wrapped FROM unnest(subjects, classes, wraps) AS a(subject, class, wrapped)
    WHERE made_in >= (SELECT oldest FROM epoch) AND NOT EXISTS (SELECT FROM erased e WHERE e.subject = a.subject)
    ORDER BY a.subject, a.class
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT * FROM look(subjects, classes);
END $$;
-- +goose StatementEnd

CREATE TYPE address_found AS (n bigint, person uuid, suppressed boolean);

-- reserve adds the addresses that nobody has and nobody had, the first of those
-- that come twice, and returns who has each then.
-- +goose StatementBegin
CREATE FUNCTION reserve(gate bigint, held uuid[], gone uuid[], people uuid[])
RETURNS SETOF address_found LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(gate);
    INSERT INTO directory (hash, person)
    SELECT a.held, a.person FROM unnest(held, gone, people) WITH ORDINALITY AS a(held, gone, person, n)
    WHERE NOT EXISTS (SELECT FROM suppressed s WHERE s.hash = a.gone)
    ORDER BY a.held, a.n
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT a.n, d.person, s.hash IS NOT NULL
    FROM unnest(held, gone) WITH ORDINALITY AS a(held, gone, n)
    LEFT JOIN directory d ON d.hash = a.held
    LEFT JOIN suppressed s ON s.hash = a.gone;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION reserve, mint, look;
DROP TYPE address_found, key_found;
DROP TABLE suppressed, directory, kept, secrets, epoch, erased, keys;

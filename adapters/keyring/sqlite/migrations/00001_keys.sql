-- +goose Up

-- One row a key, found by subject and class. Rows are appended and never
-- deleted: a destroyed key is overwritten in place with zeros. Moving rows
-- between pages can leave copies of them in free space; these never move.
-- wrapped: epoch (4 bytes, big endian), nonce (12), key and tag (48).
CREATE TABLE keys (
    slot    INTEGER PRIMARY KEY,
    subject BLOB    NOT NULL,
    class   INTEGER NOT NULL,
    wrapped BLOB    NOT NULL,
    UNIQUE (subject, class)
);

-- Who was erased: no key is ever made for them again.
CREATE TABLE erased (subject BLOB PRIMARY KEY) WITHOUT ROWID;

-- The installation's own secrets, wrapped by the root key.
CREATE TABLE secrets (purpose TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;

-- Address hashes, in buckets of fixed size that are overwritten in place, for
-- the same reason as keys. A bucket holds the hashes of its book from low up
-- to the next bound; bounds are cut at midpoints, so they tell of nobody.
CREATE TABLE buckets (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
CREATE TABLE bounds (
    book   INTEGER NOT NULL, -- 1: directory, 2: suppression, 3: staged for the directory
    low    INTEGER NOT NULL, -- first 8 bytes of the hash, big endian, sign bit flipped
    bucket INTEGER NOT NULL,
    PRIMARY KEY (book, low)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE bounds;
DROP TABLE buckets;
DROP TABLE secrets;
DROP TABLE erased;
DROP TABLE keys;

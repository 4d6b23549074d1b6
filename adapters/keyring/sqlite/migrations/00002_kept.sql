-- +goose Up

-- Secrets of accounts, each sealed with a key of its own, which is in keys under
-- subject and shredded with it: what is left of it then opens nothing. sealed is
-- empty once that has happened; the row stays, so that the name is not used again.
CREATE TABLE kept (name TEXT PRIMARY KEY, subject BLOB NOT NULL, sealed BLOB NOT NULL);

-- +goose Down
DROP TABLE kept;

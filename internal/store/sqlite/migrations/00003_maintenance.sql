-- +goose Up

-- Maintenance windows that persons opened.
CREATE TABLE maintenance (
    id    TEXT    NOT NULL PRIMARY KEY,
    began INTEGER NOT NULL,
    ends  INTEGER NOT NULL,
    doc   TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX maintenance_ends ON maintenance (ends);

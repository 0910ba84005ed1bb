-- +goose Up

-- Samples of the counters of networks: at most one an hour, kept for 3 days. The newest view of a network is in statuses.
CREATE TABLE chain_samples (
    n       INTEGER PRIMARY KEY,
    network TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    doc     TEXT    NOT NULL
);
CREATE INDEX chain_samples_at ON chain_samples (at);
CREATE INDEX chain_samples_network ON chain_samples (network, at);

-- What was handed in and given out, each content once.
CREATE TABLE blobs (
    id     INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    bytes  BLOB NOT NULL
);

-- The log: how many records there are. One row.
CREATE TABLE log (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL
);
INSERT INTO log (id, size) VALUES (1, 0);

-- The nodes of the Merkle tree, in the order in which subtrees are completed.
CREATE TABLE hashes (
    place INTEGER PRIMARY KEY,
    hash  BLOB NOT NULL
);

-- One row for each appraisal; `leaf` is its place in the log. Times are milliseconds since 1970, UTC.
CREATE TABLE records (
    leaf           INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    recorded_at    BIGINT NOT NULL,
    judged_at      BIGINT NOT NULL,
    submitter      TEXT NOT NULL,
    verdict        TEXT NOT NULL,
    policies       TEXT NOT NULL,
    request_sha256 TEXT,
    version        TEXT NOT NULL,
    data           TEXT NOT NULL,
    -- What the leaf is the hash of. None once the record was pruned.
    manifest       BLOB
);
CREATE INDEX records_recorded_at ON records (recorded_at);
CREATE INDEX records_request ON records (request_sha256);

-- The statements of an appraisal, for searches.
CREATE TABLE statements (
    leaf           BIGINT NOT NULL REFERENCES records (leaf),
    number         BIGINT NOT NULL,
    format         TEXT NOT NULL,
    authenticity   TEXT NOT NULL,
    spki_sha256    TEXT,
    vendor         TEXT,
    model          TEXT,
    serial         TEXT,
    firmware       TEXT,
    firmware_order TEXT,
    PRIMARY KEY (leaf, number)
) WITHOUT ROWID;
CREATE INDEX statements_spki ON statements (spki_sha256);
CREATE INDEX statements_serial ON statements (serial);
CREATE INDEX statements_device ON statements (vendor, model, firmware_order);

-- Which record needs which content. By number: new contents come last, where the disk is at work anyway.
CREATE TABLE record_blobs (
    leaf   BIGINT NOT NULL REFERENCES records (leaf),
    blob   BIGINT NOT NULL REFERENCES blobs (id),
    PRIMARY KEY (leaf, blob)
) WITHOUT ROWID;
CREATE INDEX record_blobs_blob ON record_blobs (blob);

-- The trust data that came with each version of keyvouch that wrote here, so that later versions can judge as it did.
CREATE TABLE trust_files (
    digest TEXT NOT NULL,
    number BIGINT NOT NULL,
    name   TEXT NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (digest, number)
);

-- What was given out to be answered once.
CREATE TABLE challenges (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    state      TEXT NOT NULL
);
CREATE INDEX challenges_expires_at ON challenges (expires_at);

-- Who may do what. Of a token only the SHA-256 is kept.
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    sha256     TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

-- Re-appraisals: which records, and what is said of them today.
CREATE TABLE reappraisals (
    id         TEXT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    about      TEXT NOT NULL
);
CREATE TABLE reappraisal_items (
    reappraisal TEXT NOT NULL REFERENCES reappraisals (id),
    leaf        BIGINT NOT NULL REFERENCES records (leaf),
    claimed_until BIGINT,
    done_at     BIGINT,
    answer      TEXT,
    verdict     TEXT,
    detail      TEXT,
    PRIMARY KEY (reappraisal, leaf)
) WITHOUT ROWID;

-- Certificates, every event received of them, their files, and who asked for what.
CREATE TABLE record (
    base TEXT PRIMARY KEY,              -- 证照标识 without edition and check character
    account TEXT NOT NULL,
    identifier TEXT NOT NULL UNIQUE,    -- of the newest edition
    edition INTEGER NOT NULL,
    type_code TEXT NOT NULL,
    authority_code TEXT NOT NULL,
    number TEXT NOT NULL,
    holder_code TEXT NOT NULL,
    holder_type TEXT NOT NULL,
    state TEXT NOT NULL,
    expiring TEXT NOT NULL,
    last_sequence INTEGER NOT NULL,
    missing TEXT NOT NULL,              -- JSON list of sequences below the last that were never received
    metadata TEXT NOT NULL,             -- JSON, the newest event's record without the file
    file_sha256 TEXT NOT NULL,
    bucket INTEGER NOT NULL,            -- first 16 bits of SHA-256(base)
    leaf BLOB NOT NULL,                 -- SHA-256 over base and the digests of all its events
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX record_bucket ON record (account, bucket, base);
CREATE INDEX record_holder ON record (holder_code, holder_type);
CREATE INDEX record_number ON record (type_code, number);
CREATE INDEX record_updated ON record (updated_at);

CREATE TABLE event (
    base TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    account TEXT NOT NULL,
    identifier TEXT NOT NULL,
    operation TEXT NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL,               -- JSON without the file
    digest TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,
    day TEXT NOT NULL,                  -- of operateTime, Asia/Shanghai
    warning TEXT NOT NULL,
    received_at TEXT NOT NULL,
    PRIMARY KEY (base, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_day ON event (account, day);
CREATE INDEX event_identifier ON event (identifier);

CREATE TABLE file (
    sha256 TEXT PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE bucket (                   -- Merkle digests of the buckets that have records
    account TEXT NOT NULL,
    id INTEGER NOT NULL,
    count INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusal (                  -- records refused, for the counterpart's clerks
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    guid TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;

CREATE TABLE access (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    operation TEXT NOT NULL,
    cause TEXT NOT NULL,
    subject TEXT NOT NULL,
    type_code TEXT NOT NULL,
    status TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;

CREATE TABLE copy (                     -- 加注件: watermarked copies with a purpose and an end
    id TEXT PRIMARY KEY,
    identifier TEXT NOT NULL,
    account TEXT NOT NULL,
    applicant TEXT NOT NULL,
    cause TEXT NOT NULL,
    made_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

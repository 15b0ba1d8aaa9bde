-- A record may have several holders, parted by ^ in its fields; a search by any of them goes by this table's index.
CREATE TABLE holder (
    base TEXT NOT NULL,
    place INTEGER NOT NULL,             -- 0 is the first
    code TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (base, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_code ON holder (code, type);
INSERT INTO holder
    SELECT base, codes.key, codes.value, types.value
    FROM record,
        json_each('[' || replace(json_quote(holder_code), '^', '","') || ']') AS codes,
        json_each('[' || replace(json_quote(holder_type), '^', '","') || ']') AS types
    WHERE codes.key = types.key;
DROP INDEX record_holder;

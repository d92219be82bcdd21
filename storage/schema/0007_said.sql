-- 0007 said: when a sender last spoke of a thing, so that a message that arrives late does not undo a newer one.

CREATE TABLE said(
    chart INTEGER NOT NULL REFERENCES chart(id),
    what  INTEGER NOT NULL,                -- hash of the sender and of the scope or the resource
    at_ms INTEGER NOT NULL,                -- time of the newest message that was applied
    PRIMARY KEY(chart, what)
) STRICT, WITHOUT ROWID;

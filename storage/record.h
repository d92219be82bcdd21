/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources: current version, former versions, delete markers, and their search rows. All reading goes
 * through the gate: a record the bound grant may not see does not exist. Bodies are JSON in internal
 * form: a reference to the row's own patient is "Patient/@", and there are no others;
 * exchange/gate/refs.c translates on the way in and out, nobody else.
 */
#ifndef STORAGE_RECORD_H
#define STORAGE_RECORD_H

#include "base/arena.h"
#include "base/category.h"
#include "base/digest.h"
#include "base/facet.h"
#include "storage/session.h"

enum record_label {
    RECORD_NORMAL,
    RECORD_RESTRICTED, /* confidentiality R or V: not opened by an emergency, only by explicit consent */
    RECORD_WITHHELD,   /* not yet told to the resident (UNINFORMED): facilities see it, he does not */
    RECORD_PRIVATE     /* only its source sees it: a clinical resource that names no resident, or several as equals */
};

/* A record as read. Slices live in the arena given. */
struct record {
    int64_t rid;
    struct slice type;
    struct slice id;
    int64_t version;
    int64_t chart;
    int64_t person;   /* of the chart, now; 0 when of no person */
    int64_t facility; /* source */
    enum category category;
    enum record_label label;
    int64_t seq;        /* of the change that made this version (storage/change.h) */
    int64_t updated_ms; /* of seq */
    bool deleted;
    struct slice body;   /* empty when deleted */
    struct slice facets; /* packed (base/facet.h); filled by search_run only */
};

/* Body and facets as the file keeps them: made where time is cheap, on a reader's thread. */
struct record_packed {
    bool made;
    struct slice body;
    struct slice facets;
};

/* A record to write. TYPE, ID and BODY are borrowed. */
struct record_new {
    struct slice type;
    struct slice id; /* server-made or client-chosen logical id */
    bool fresh;      /* the id is a random one just made: nothing is there */
    int64_t chart;   /* 0: of no person */
    enum category category;
    enum record_label label;
    struct when when;  /* clinical time; {WHEN_MIN, WHEN_MAX} when unknown */
    struct slice body; /* internal form, without meta.versionId and meta.lastUpdated */
    struct slice scope; /* empty: none */
    const unsigned char *original; /* sha or NULL */
    const char *mapper;            /* or NULL */
    struct facet_list *facets;     /* packed, so sorted, by the write */
    struct record_packed packed;   /* of body and facets, by record_pack; or not made */
    struct slice words;            /* text of the narrative, for _text; empty: none */
    struct slice content;          /* all other text, for _content */
};

/* What a write did. */
struct record_mark {
    int64_t rid;
    int64_t version;
    int64_t seq;
    int64_t updated_ms;
    bool created;   /* first version, or first after a delete */
    bool unchanged; /* the body was the same already: nothing written, version is the current one */
};

/* Current version by type and logical id. ERR_NOT_FOUND (never there, or not visible), ERR_GONE (visible
 * to this grant before it was deleted). For Patient use record_read_patient. */
enum err record_read(struct session *s, struct arena *arena, struct slice type, struct slice id,
                     struct record *ret_record) ERR_CHECKED;
/* The Patient record of a person this grant sees: the grant facility's own, else the newest. */
enum err record_read_patient(struct session *s, struct arena *arena, int64_t person,
                             struct record *ret_record) ERR_CHECKED;
/* Version VERSION of the record RID, visible only if both it and the current one are. A delete marker
 * is a version: ret->deleted. All of them: change_list (storage/change.h). */
enum err record_read_version(struct session *s, struct arena *arena, int64_t rid, int64_t version,
                             struct record *ret_record) ERR_CHECKED;
/* Packs BODY and FACETS (sorted in place) into ARENA. Any session. ERR_TOO_LARGE: more than LIMIT_FACETS. */
enum err record_pack(struct session *s, struct arena *arena, struct slice body,
                     struct facet_list *facets, struct record_packed *ret_packed) ERR_CHECKED;
/* What a writer says of the version he knows, besides its number. */
#define RECORD_ANY INT64_C(0)
#define RECORD_THERE INT64_C(-1)  /* some version, not deleted */
#define RECORD_ABSENT INT64_C(-2) /* none, or deleted */
/* Creates the record, or its next version when (type, id) exists and belongs to the grant's facility (or
 * the resident) and the same chart. ERR_NOT_FOUND when it exists but is another's, ERR_PRECONDITION when
 * EXPECT_VERSION is not so. Writer session, grant->may_write. */
enum err record_put(struct session *s, const struct record_new *record, int64_t expect_version,
                    struct record_mark *ret_mark) ERR_CHECKED;
/* Writes a delete marker and drops the search rows. ERR_NOT_FOUND / ERR_PRECONDITION as above; deleting
 * twice answers ERR_OK with mark->unchanged. */
enum err record_delete(struct session *s, struct slice type, struct slice id, int64_t expect_version,
                       struct record_mark *ret_mark) ERR_CHECKED;
/* Deletes the records of CHART in SCOPE whose ids are not among KEEP: a message that replaces a whole
 * group calls this after its puts. ret_deleted counts. */
enum err record_prune(struct session *s, int64_t chart, struct slice scope, const struct slice *keep,
                      size_t keep_count, unsigned *ret_deleted) ERR_CHECKED;

/* What a search finds a record by; made from its body by the caller's function. */
struct record_index {
    struct facet_list facets;
    struct slice words;
    struct slice content;
};
/* How far a reindex has come; starts zeroed. */
struct record_reindexing {
    int64_t began; /* last change before it began + 1; 0: not begun */
    int64_t rid;   /* done up to here */
    uint64_t count;
    uint64_t total; /* records there were when it began */
    bool over;
};
/* Calls FN with type and body of the next LIMIT_REINDEX_ROWS current records and replaces their facets and their rows
 * in the search indexes by what FN returns (arena is cleared between records); bodies kept plain are packed. To be
 * called again, each time in a transaction of its own, until over. Safe to stop: another run begins anew, and until
 * one is over store_needs_reindex says so. Writer session, administrative. */
enum err record_reindex(struct session *s,
                        enum err (*fn)(void *context, struct arena *arena, struct slice type,
                                       struct slice body, struct record_index *ret_index),
                        void *context, struct record_reindexing *reindexing) ERR_CHECKED;

#endif

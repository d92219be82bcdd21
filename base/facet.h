/* SPDX-License-Identifier: Apache-2.0
 *
 * A facet is one searchable value of a resource. mappers/fhir derive the facets from a resource; storage keeps them
 * packed in the record's own row and a search compares against them there (storage/match.c). They are a pure function
 * of the resource's JSON, so that everything made of them can be thrown away and rebuilt (design invariant 4).
 *
 * One parameter may have facets of several kinds, because modifiers ask for other sides of the same element:
 *
 *     parameter of type   facets under its number
 *     token               TOKEN; STRING (display and text, for :text); TYPED (identifier's type, for :of-type)
 *     reference           REFERENCE "Type/id"; URI (absolute or canonical); TOKEN (Reference.identifier, for
 *                         :identifier); STRING (Reference.display, for :text)
 *     others              their own kind
 *     composite           the kinds of its components, each with its group and part
 */
#ifndef BASE_FACET_H
#define BASE_FACET_H

#include "base/buf.h"
#include "base/slice.h"

enum facet_kind {
    FACET_TOKEN,     /* system + code */
    FACET_STRING,    /* folded text (width, case, kana), see mappers/fhir/fold.h */
    FACET_DATE,      /* [lo, hi) ms */
    FACET_NUMBER,    /* [lo, hi]: one exact value (lo == hi); no implicit precision on this side */
    FACET_QUANTITY,  /* number + unit system + unit code; Range: [lo, hi], an open end is infinite */
    FACET_REFERENCE, /* "Type/id", internal form */
    FACET_URI,
    FACET_TYPED,     /* identifier: system + code of its type, raw = its value */
    FACET_COMPOSITE, /* no facet: the kind of a composite parameter in definition tables */
    FACET_SPECIAL    /* a point on the earth (near): lo = latitude, hi = longitude, degrees */
};

/* Parameters have stable small numbers from the generated table (mappers/fhir/gen/param_table.c). */
struct facet {
    uint16_t param;
    uint16_t group;      /* composite: values of one group belong together, from 1; 0: not of a composite */
    uint8_t part;        /* composite: which component, from 0 */
    bool common;         /* a value too frequent to be worth a row in the value index (status, gender) */
    enum facet_kind kind;
    struct slice system; /* token, typed, quantity */
    struct slice text;   /* token code, folded string, reference, uri, quantity unit code */
    struct slice raw;    /* string: the text as written, for :exact; typed: the identifier's value; quantity: the unit
                            for people (Quantity.unit), which a search by bare code also finds */
    int64_t lo_ms;       /* date */
    int64_t hi_ms;
    double lo;           /* number, quantity */
    double hi;
};

struct facet_list {
    struct facet *items;
    size_t count;
};

/* ── packed: how a record's row keeps them ───────────────────────────────────────────────────────
 * Sorted by param, group, part, kind; systems are kept as 64-bit hashes, because they are only ever
 * compared for equality. An empty list packs to no bytes. The first byte is the format's version,
 * then facets follow one another:
 *
 *     head     kind (4 bits), parameter differs from the one before, common, grouped, more (see
 * facet.c) varint   how far the parameter is from the one before, if it differs varint + byte group
 * and part, if grouped token       more: system; text          string      text; more: raw, else it
 * equals text date        span                        number      value; more: a second one uri
 * text                        quantity    flags; value(s); system; unit; raw reference   text typed
 * system; text; raw           special     latitude; longitude
 *
 * A text is a varint (length << 1, and bytes) or (n << 1 | 1: the nth of the first texts of these
 * bytes long enough to be worth it; from FACET_TEXTS on those of facet_table.c); since version 2 a
 * reference's may also be (FACET_UUID << 1 | 1), a text and 16 bytes: the text before a UUID in
 * small letters, and that. A system likewise a varint: 0 none, 1 eight bytes, n + 2 the nth of the
 * first systems, then those of facet_table.c. Doubles that are a decimal of a few digits are a
 * varint of sign, digits and point, others eight bytes. Spans are in seconds where they can be. */

/* One facet read back. Slices point into the packed bytes, or to texts that stay; a reference's
 * text may lie in the reader and is good until its next facet only. */
struct facet_view {
    uint16_t param;
    uint16_t group;
    uint8_t part;
    bool common;
    enum facet_kind kind;
    uint64_t system; /* facet_system of the system; 0: none */
    uint64_t unit;   /* quantity: facet_system of the unit code; 0: none */
    struct slice text;
    struct slice raw;
    int64_t lo_ms, hi_ms;
    double lo, hi;
};

/* Equal systems have equal numbers; 0 for the empty one only. */
uint64_t facet_system(struct slice system);

/* Appends LIST, packed, to OUT (buf_err tells if it did not fit or memory was out). The order of equal parameters' items
 * is kept; doubles of one value are left out (where they lie near). LIST is sorted in place. */
void facet_pack(struct facet_list *list, struct buf *out);

#define FACET_TEXTS 16   /* texts and systems that later facets may refer to */
#define FACET_SYSTEMS 16
#define FACET_TEXT_MIN 3 /* shorter texts are not worth a place */
#define FACET_UUID 272   /* no text's number */
#define FACET_BEFORE 64  /* at most, before a UUID */
#define FACET_REFERENCE_MAX (FACET_BEFORE + 36)

/* Walks packed bytes. Broken bytes end the walk early, they never lead outside. */
struct facet_reader {
    const unsigned char *at, *end;
    uint16_t param;
    uint8_t text_count, system_count;
    struct slice texts[FACET_TEXTS];
    uint64_t systems[FACET_SYSTEMS];
    char reference[FACET_REFERENCE_MAX];
};
void facet_reader_init(struct facet_reader *reader, struct slice packed);
/* The next facet; false at the end. */
bool facet_next(struct facet_reader *reader, struct facet_view *ret_view);

#endif

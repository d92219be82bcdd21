/* SPDX-License-Identifier: Apache-2.0
 *
 * Which records share a file of a standard storage (see write.h), and keys read from messages.
 * Order numbers must be 15 digits; one that is not made of digits becomes 15 digits of its SHA-256,
 * so that the same order always has the same file.
 */
#include "mappers/ssmix2/write.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/when.h"
#include "mappers/hl7v2/keys.h"
#include "mappers/ssmix2/path.h"
#include "mappers/ssmix2/place.h"
#include "mappers/ssmix2/relate.h"
#include "mappers/ssmix2/rule.h"
#include "mappers/ssmix2/segment.h"

#include "base/banned.h"

#define NUMBER_MAX 22u /* ORC-2 */

/* ---- order numbers ---- */

static void put_order(struct slice number, char ret_order[16])
{
    unsigned char sha[DIGEST_LEN];
    bool digits = number.len > 0 && number.len <= 15;

    for (size_t i = 0; i < number.len; i++)
        digits = digits && number.ptr[i] >= '0' && number.ptr[i] <= '9';
    memset(ret_order, '0', 15);
    ret_order[15] = '\0';
    if (digits) {
        memcpy(ret_order + 15 - number.len, number.ptr, number.len);
        return;
    }
    digest_sha256(number, sha);
    for (size_t i = 0; i < 15; i++)
        ret_order[i] = (char)('0' + sha[i] % 10);
}

/* ---- the plan ---- */

struct planning {
    struct place_book book;
    struct write_plan *plan;
    struct write_group **end;
    bool undated;       /* looking for places of what has no date, behind all that has */
    struct keys groups; /* "kind date order" */
};

/* The group of a key, made when it is new. */
static struct write_group *group_at(struct planning *p, const struct write_group *key, bool any_day)
{
    struct arena *a = p->plan->arena;
    struct keys_slot *slot =
        keys_at(a, &p->groups,
                slice_str(arena_printf(a, "%s %s %s", key->kind, any_day ? "" : key->care_date,
                                       key->order_no)));

    if (!slot || slot->value)
        return slot ? slot->value : NULL;
    slot->value = *p->end = ARENA_NEW(a, struct write_group);
    if (!*p->end)
        return NULL;
    **p->end = *key;
    (*p->end)->cancelled = true;
    p->end = &(*p->end)->next;
    return slot->value;
}

static void put_day(int64_t ms, char ret_date[9])
{
    struct buf stamp;

    buf_init(&stamp, 64);
    when_print_stamp(&stamp, ms);
    snprintf(ret_date, 9, "%.8s", buf_err(&stamp) ? "19000101" : buf_slice(&stamp).ptr);
    buf_fini(&stamp);
}

/* An order (OMD, OMx-0n) read in replaces all that had its number, and its file has one day. What
 * else was ordered under that number on another day gets a number of its own; a prescription has a
 * field for its own time (RXE-32) and stays in one file. */
static struct write_group *find_group(struct planning *p, const struct place *place,
                                      int64_t updated_ms)
{
    struct write_group key = {.kind = place->kind, .care_date = "-", .order_no = WRITE_NO_ORDER};
    bool order = place->kind[0] == 'O' && (place->kind[3] == '\0' || place->kind[4] == '0');
    struct write_group *group;

    if (place->day.len == 8)
        memcpy(key.care_date, place->day.ptr, 8);
    if (place->order.len > 0)
        put_order(place->order, key.order_no);
    key.number = place->numbered && place->order.len <= NUMBER_MAX ? place->order : SLICE_NONE;
    if (place->undated) /* the day it was told of, unless others of its number say one */
        put_day(updated_ms, key.care_date);
    group = group_at(p, &key, order);
    if (!group || place->undated || strcmp(group->care_date, key.care_date) == 0 ||
        strncmp(place->kind, "OMP-0", 5) == 0)
        return group;
    key.number = SLICE_NONE;
    put_order(segment_format(p->plan->arena, "%s of %s", key.order_no, key.care_date),
              key.order_no);
    return group_at(p, &key, false);
}

static void put_member(struct place_book *book, struct write_item *item, const struct place *place)
{
    struct planning *p = book->context;

    if (place->undated != p->undated)
        return;
    struct write_member *member = ARENA_NEW(p->plan->arena, struct write_member);
    struct write_group *group = member ? find_group(p, place, item->updated_ms) : NULL;

    if (!group)
        return; /* the arena is full: said at the end */
    *member = (struct write_member){.item = item, .part = place->part};
    if (group->last)
        group->last->next = member;
    else
        group->first = member;
    group->last = member;
    group->cancelled = group->cancelled && place->cancelled;
    if (item->updated_ms + place->late > group->updated_ms)
        group->updated_ms = item->updated_ms + place->late;
}

enum err write_plan_make(struct arena *arena, struct write_item *items, size_t count,
                         struct write_plan **ret_plan)
{
    struct write_plan *plan = ARENA_NEW(arena, struct write_plan);
    struct planning p = {.book = {.arena = arena, .put = put_member}, .plan = plan};

    if (!plan)
        return ERR_LIMIT;
    *plan = (struct write_plan){.arena = arena, .items = items, .count = count};
    plan->relate = p.book.relate = relate_make(arena, items, count);
    if (!plan->relate)
        return ERR_LIMIT;
    p.book.context = &p;
    p.end = &plan->groups;
    for (size_t i = 0; i < count; i++)
        items[i].written = false;
    for (unsigned pass = 0; pass < 2; pass++) {
        p.undated = pass == 1;
        for (size_t i = 0; i < count; i++) {
            if (items[i].pool && items[i].resource)
                place_each(&p.book, &items[i]);
        }
    }
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    *ret_plan = plan;
    return ERR_OK;
}

bool write_is_single(const char *kind)
{
    return strncmp(kind, "ADT-", 4) == 0 && strcmp(kind, "ADT-00") != 0 &&
           strcmp(kind, "ADT-61") != 0;
}

/* ---- keys of messages ---- */

static struct slice first_of(struct slice a, struct slice b, struct slice c)
{
    return a.len > 0 ? a : b.len > 0 ? b : c;
}

static struct slice value_at(const struct hl7_message *m, const char *place)
{
    uint64_t field = 0;
    char name[4] = {place[0], place[1], place[2], '\0'};
    const struct hl7_segment *s = hl7_find(m, name, 1);

    if (!s || !slice_u64(slice_str(place + 4), &field))
        return SLICE_NONE;
    return slice_trim(hl7_value(m, s, (unsigned)field, 1));
}

/* RDE, RAS, OMG and OMI serve two or three kinds each; what they carry tells which. */
static const char *kind_of(const struct hl7_message *m, struct slice type)
{
    struct slice system = hl7_value(m, hl7_find(m, "OBR", 1), 4, 3);
    bool endoscopy = slice_is(system, "LENDO"), physiology = slice_is(system, "JC10");

    if (slice_is(type, "RDE^O11"))
        return hl7_find(m, "RXC", 1) ? "OMP-02" : "OMP-01";
    if (slice_is(type, "RAS^O17"))
        return slice_find(value_at(m, "ORC-4"), '_', 0) < value_at(m, "ORC-4").len ? "OMP-12"
                                                                                   : "OMP-11";
    if (slice_is(type, "OMG^O19"))
        return endoscopy ? "OMG-02" : physiology ? "OMG-03" : "OMG-01";
    if (slice_is(type, "OMI^Z23"))
        return endoscopy ? "OMG-12" : "OMG-11";
    for (const struct ssmix2_kind *k = ssmix2_kinds; k->code; k++) {
        if (slice_is(type, k->insert) || (k->cancel && slice_is(type, k->cancel)))
            return k->code;
    }
    return NULL;
}

static const struct ssmix2_kind *row_of(const char *kind)
{
    const struct ssmix2_kind *k = ssmix2_kinds;

    while (k->code && strcmp(k->code, kind) != 0)
        k++;
    assert(k->code);
    return k;
}

static struct slice type_of(struct arena *a, const struct hl7_message *m)
{
    struct hl7_header h;

    hl7_header_of(m, &h);
    return segment_format(a, "%.*s^%.*s", SLICE_ARG(h.type), SLICE_ARG(h.trigger));
}

/* A cancellation may say its day elsewhere. */
static const char *care_field(struct arena *a, const struct hl7_message *m,
                              const struct ssmix2_kind *row)
{
    struct slice type = type_of(a, m);

    for (const struct rule_date *d = rule_dates; d->message; d++) {
        if (slice_is(type, d->message))
            return d->field;
    }
    return row->care_date;
}

bool write_key(struct arena *arena, const struct hl7_message *m, struct write_group *ret_key)
{
    const char *kind = kind_of(m, type_of(arena, m));
    struct write_group key = {.kind = kind, .care_date = "-", .order_no = WRITE_NO_ORDER};

    if (!kind)
        return false;
    const struct ssmix2_kind *row = row_of(kind);
    if (row->care_date[0] != '-') {
        struct slice day = value_at(m, care_field(arena, m, row));
        if (day.len < 8)
            return false;
        memcpy(key.care_date, day.ptr, 8);
    }
    if (kind[0] == 'O') {
        struct slice order =
            first_of(value_at(m, "ORC-2"), value_at(m, "OBR-2"), value_at(m, "ORC-3"));
        if (order.len > 0)
            put_order(order, key.order_no);
    }
    *ret_key = key;
    return true;
}

struct slice write_sent(struct arena *arena, const struct hl7_message *m)
{
    struct slice at = hl7_value(m, &m->segments[0], 7, 1);
    char *out = arena_alloc(arena, 18);
    size_t n = 0;

    if (!out)
        return SLICE_NONE;
    memset(out, '0', 17);
    for (size_t i = 0; i < at.len && n < 17 && at.ptr[i] != '+' && at.ptr[i] != '-'; i++) {
        if (at.ptr[i] >= '0' && at.ptr[i] <= '9')
            out[n++] = at.ptr[i];
    }
    for (; n < 8; n++) /* no time at all: a day that every reader takes */
        out[n] = "19000101"[n];
    return slice_of(out, 17);
}

struct slice write_department(struct arena *arena, const struct hl7_message *m)
{
    struct slice code = first_of(value_at(m, "PV1-10"), value_at(m, "ORC-17"), SLICE_NONE);

    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return SLICE("-");
    }
    return code.len >= 2 && code.len <= 5 ? arena_dup(arena, code) : SLICE("-");
}

enum err write_encode(struct slice text, struct buf *out, size_t *ret_replaced)
{
    return charset_encode(CHARSET_ISO2022JP, text, out, ret_replaced);
}

enum err write_lacking(struct slice text,
                       void (*said)(void *context, struct slice place, size_t count), void *context)
{
    enum err err = ERR_OK;
    struct buf spare;

    buf_init(&spare, 4 * text.len + 64);
    while (text.ptr && text.len > 0 && !err) {
        struct slice segment = slice_cut(&text, '\r'), name = slice_cut(&segment, '|');
        bool header = slice_is(name, "MSH");
        for (unsigned n = header ? 2 : 1; segment.ptr && !err; n++) {
            char place[24];
            size_t count = 0;
            err = write_encode(slice_cut(&segment, '|'), &spare, &count);
            buf_clear(&spare);
            int len = snprintf(place, sizeof(place), "%.3s-%u", name.len >= 3 ? name.ptr : "?", n);
            if (count > 0 && len > 0)
                said(context, slice_of(place, (size_t)len), count);
        }
    }
    buf_fini(&spare);
    return err;
}

/* ---- cancelling ---- */

const char *write_cancel_type(const char *kind)
{
    static const struct {
        const char *message, *whole;
    } structures[] = {
        {"ADT^A23", "ADT^A23^ADT_A21"}, {"ADT^A55", "ADT^A55^ADT_A52"},
        {"ADT^A27", "ADT^A27^ADT_A21"}, {"ADT^A11", "ADT^A11^ADT_A09"},
        {"ADT^A52", "ADT^A52^ADT_A52"}, {"ADT^A53", "ADT^A53^ADT_A52"},
        {"ADT^A26", "ADT^A26^ADT_A21"}, {"ADT^A12", "ADT^A12^ADT_A09"},
        {"ADT^A25", "ADT^A25^ADT_A21"}, {"ADT^A13", "ADT^A13^ADT_A01"},
    };
    const char *cancel = row_of(kind)->cancel;

    for (size_t i = 0; cancel && i < sizeof(structures) / sizeof(structures[0]); i++) {
        if (strcmp(structures[i].message, cancel) == 0)
            return structures[i].whole;
    }
    return NULL;
}

/* Segment S with field N replaced. */
static void put_changed(struct buf *out, const struct hl7_segment *s, unsigned n, const char *value)
{
    bool header = slice_is(s->name, "MSH");

    buf_add(out, s->name);
    for (unsigned i = 1; i < s->field_count || i <= n; i++) {
        if (!(header && i == 2)) /* MSH-1 is the delimiter in front of MSH-2 */
            buf_addc(out, '|');
        if (i == n)
            buf_adds(out, value);
        else if (!(header && i == 1))
            buf_add(out, hl7_field(s, i));
    }
    buf_addc(out, '\r');
}

enum err write_cancel(const struct hl7_message *message, const char *kind, struct buf *out)
{
    const char *type = write_cancel_type(kind);

    for (size_t i = 0; i < message->segment_count; i++) {
        const struct hl7_segment *s = &message->segments[i];
        bool visit = slice_is(s->name, "EVN") || slice_is(s->name, "PID") ||
                     slice_is(s->name, "PV1") || slice_is(s->name, "PV2");
        if (slice_is(s->name, "MSH") && type && s->field_count > 1) {
            put_changed(out, s, 9, type);
        } else if (slice_is(s->name, "ORC") && kind[0] == 'O') {
            put_changed(out, s, 1, "CA");
        } else if (!type || visit) {
            buf_add(out, s->text);
            buf_addc(out, '\r');
        }
    }
    return buf_err(out);
}

bool write_is_cancel(const struct hl7_message *m, const char *kind)
{
    struct hl7_header h;
    const char *cancel = row_of(kind)->cancel;
    bool any = false;

    hl7_header_of(m, &h);
    if (cancel)
        return slice_is(h.trigger, cancel + 4) && slice_is(h.type, "ADT");
    for (size_t i = 0; kind[0] == 'O' && i < m->segment_count; i++) {
        if (!slice_is(m->segments[i].name, "ORC"))
            continue;
        struct slice control = hl7_field(&m->segments[i], 1);
        any = true;
        if (!slice_is(control, "CA") && !slice_is(control, "OC"))
            return false;
    }
    return any;
}

enum err write_recode(const struct hl7_message *m, struct buf *out, size_t *ret_replaced)
{
    struct buf text;

    buf_init(&text, 2 * m->text.len + 4096);
    for (size_t i = 0; i < m->segment_count; i++) {
        if (i == 0) {
            put_changed(&text, &m->segments[0], 18, "~ISO IR87");
        } else {
            buf_add(&text, m->segments[i].text);
            buf_addc(&text, '\r');
        }
    }
    enum err err = buf_err(&text);
    if (err == ERR_OK)
        err = write_encode(buf_slice(&text), out, ret_replaced);
    buf_fini(&text);
    return err;
}

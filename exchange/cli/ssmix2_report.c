/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting and printing of `validate ssmix2` (see ssmix2_report.h). Kinds and segments are few and
 * kept in lists; values may be many and have a hash table.
 */
#include "exchange/cli/ssmix2_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "exchange/cli/table.h"
#include "mappers/hl7v2/explain.h"

#include "base/banned.h"

#define FINDINGS_MAX 200000u
#define VALUES_MAX 200000u
#define VALUE_BUCKETS 65536u
#define FIELDS_MAX 64u
#define KINDS_MAX 256u

struct segment_count {
    char name[4];
    uint64_t segments;
    uint64_t filled[FIELDS_MAX]; /* how often field n had content */
    struct segment_count *next;
};

struct ssmix2_report_kind {
    struct slice kind;
    unsigned files, valid, deleted, old, other;
    unsigned judged[INSPECT_CHECKS], failed[INSPECT_CHECKS], warned[INSPECT_CHECKS];
    struct segment_count *segments;
    struct ssmix2_report_kind *next;
};

struct ssmix2_report_finding {
    struct slice path;
    enum inspect_check check;
    struct err_item item;
    struct slice name_en, name_ja;
    struct ssmix2_report_finding *next;
};

struct ssmix2_report_value {
    const struct ssmix2_report_kind *kind;
    const struct ssmix2_report_choice *choice;
    struct slice text;
    uint64_t count;
    struct ssmix2_report_value *next;
};

enum err ssmix2_report_init(struct ssmix2_report *r)
{
    *r = (struct ssmix2_report){.arena = arena_new(1024u * (size_t)LIMIT_MIB)};
    if (r->arena)
        r->values = arena_array(r->arena, VALUE_BUCKETS, sizeof(struct ssmix2_report_value *));
    return r->values ? ERR_OK : ERR_LIMIT;
}

void ssmix2_report_fini(struct ssmix2_report *r)
{
    arena_free(r->arena);
    r->arena = NULL;
}

/* ── fields chosen ───────────────────────────────────────────────────────────────────────────── */

static bool choose(struct ssmix2_report *r, struct slice text)
{
    struct ssmix2_report_choice *c = &r->choices[r->choice_count];
    struct slice number = slice_sub(text, 4, text.len);
    struct slice field = slice_cut(&number, '.');
    uint64_t n = 0, component = 0;

    if (text.len < 5 || text.ptr[3] != '-' || !slice_u64(field, &n) || n == 0 || n > 500)
        return false;
    if (number.ptr && (!slice_u64(number, &component) || component == 0 || component > 100))
        return false;
    *c = (struct ssmix2_report_choice){slice_sub(text, 0, 3), (unsigned)n, (unsigned)component};
    r->choice_count++;
    return true;
}

bool ssmix2_report_choose(struct ssmix2_report *r, struct slice text)
{
    if (text.len == 0)
        return true;
    while (text.ptr) {
        if (r->choice_count == SSMIX2_REPORT_CHOICES || !choose(r, slice_cut(&text, ',')))
            return false;
    }
    return true;
}

/* ── counting ────────────────────────────────────────────────────────────────────────────────── */

/* Names that are no kind of the standard share one row once there are too many. */
static struct ssmix2_report_kind *kind_row(struct ssmix2_report *r, struct slice kind)
{
    struct ssmix2_report_kind **at = &r->kinds;
    unsigned count = 0;

    if (kind.len > 64)
        kind = SLICE("?");
    for (; *at && slice_cmp((*at)->kind, kind) < 0; at = &(*at)->next)
        count++;
    if (*at && slice_eq((*at)->kind, kind))
        return *at;
    if (count >= KINDS_MAX && !slice_is(kind, "?"))
        return kind_row(r, SLICE("?"));
    struct ssmix2_report_kind *row = ARENA_NEW(r->arena, struct ssmix2_report_kind);
    if (!row)
        return NULL;
    row->kind = arena_dup(r->arena, kind);
    row->next = *at;
    *at = row;
    return row;
}

static struct segment_count *segment_row(struct ssmix2_report *r, struct ssmix2_report_kind *kind,
                                         struct slice name)
{
    struct segment_count **at = &kind->segments;

    while (*at && slice_cmp(slice_str((*at)->name), name) < 0)
        at = &(*at)->next;
    if (*at && slice_is(name, (*at)->name))
        return *at;
    struct segment_count *row = ARENA_NEW(r->arena, struct segment_count);
    if (!row)
        return NULL;
    memcpy(row->name, name.ptr, 3);
    row->next = *at;
    *at = row;
    return row;
}

static void count_segment(struct ssmix2_report *r, struct ssmix2_report_kind *kind,
                          const struct hl7_segment *s)
{
    struct segment_count *row = segment_row(r, kind, s->name);

    if (!row)
        return;
    row->segments++;
    for (unsigned n = 1; n < s->field_count && n < FIELDS_MAX; n++)
        row->filled[n] += hl7_field(s, n).len > 0;
}

static size_t hash_of(struct slice text)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.ptr[i]) * 1099511628211u;
    return (size_t)((h ^ (h >> 32)) % VALUE_BUCKETS);
}

static void count_value(struct ssmix2_report *r, const struct ssmix2_report_kind *kind,
                        const struct ssmix2_report_choice *choice, struct slice text)
{
    struct ssmix2_report_value **at = &r->values[hash_of(text)];

    while (*at && ((*at)->kind != kind || (*at)->choice != choice || !slice_eq((*at)->text, text)))
        at = &(*at)->next;
    if (*at) {
        (*at)->count++;
        return;
    }
    if (r->value_count == VALUES_MAX) {
        r->values_more++;
        return;
    }
    struct ssmix2_report_value *v = ARENA_NEW(r->arena, struct ssmix2_report_value);
    if (!v)
        return;
    *v = (struct ssmix2_report_value){kind, choice, arena_dup(r->arena, text), 1, NULL};
    *at = v;
    r->value_count++;
}

static void list_values(struct ssmix2_report *r, const struct ssmix2_report_kind *kind,
                        const struct hl7_message *m, const struct hl7_segment *s)
{
    for (unsigned i = 0; i < r->choice_count; i++) {
        const struct ssmix2_report_choice *c = &r->choices[i];
        struct slice field = slice_eq(c->segment, s->name) ? hl7_field(s, c->field) : SLICE_NONE;
        if (field.len > 0 && c->component > 0)
            field = hl7_component(m, hl7_repeat(m, field, 0), c->component);
        if (field.len > 0)
            count_value(r, kind, c, field);
    }
}

static void keep_finding(struct ssmix2_report *r, struct slice path, enum inspect_check check,
                         const struct err_item *item)
{
    if (r->findings == FINDINGS_MAX) {
        r->findings_more++;
        return;
    }
    struct ssmix2_report_finding *f = ARENA_NEW(r->arena, struct ssmix2_report_finding);
    if (!f)
        return;
    f->path = path;
    f->check = check;
    f->item = *item;
    f->item.place = arena_str(r->arena, slice_str(item->place));
    f->item.en = arena_str(r->arena, slice_str(item->en));
    f->item.ja = arena_str(r->arena, slice_str(item->ja));
    explain_place(r->arena, slice_str(item->place), &f->name_en, &f->name_ja);
    if (r->last)
        r->last->next = f;
    else
        r->first = f;
    r->last = f;
    r->findings++;
}

static void count_flag(struct ssmix2_report_kind *kind, struct slice flag)
{
    kind->files++;
    if (slice_is(flag, "1"))
        kind->valid++;
    else if (slice_is(flag, "0"))
        kind->deleted++;
    else if (slice_is(flag, "2"))
        kind->old++;
    else
        kind->other++;
}

enum err ssmix2_report_add(struct ssmix2_report *r, struct slice path, const struct inspection *in)
{
    struct ssmix2_report_kind *kind = kind_row(r, in->kind);
    struct slice kept = SLICE_NONE;
    bool refused = false;

    if (!kind)
        return ERR_LIMIT;
    count_flag(kind, in->flag);
    for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
        const struct err_list *found = &in->found[c];
        kind->judged[c] += in->judged[c] || found->errors > 0;
        kind->failed[c] += found->errors > 0;
        kind->warned[c] += found->errors == 0 && found->warnings > 0;
        refused = refused || found->errors > 0;
        for (const struct err_item *i = found->first; i; i = i->next) {
            if (!kept.ptr)
                kept = arena_dup(r->arena, path);
            keep_finding(r, kept, (enum inspect_check)c, i);
        }
    }
    for (size_t i = 0; in->message && i < in->message->segment_count; i++) {
        count_segment(r, kind, &in->message->segments[i]);
        list_values(r, kind, in->message, &in->message->segments[i]);
    }
    r->files++;
    r->refused += refused;
    return arena_exhausted(r->arena) ? ERR_LIMIT : ERR_OK;
}

/* ── printing ────────────────────────────────────────────────────────────────────────────────── */

static const char *const severities[] = {"error", "warning", "information"};

static struct slice place_name(struct arena *a, const struct ssmix2_report_finding *f)
{
    if (f->name_en.len == 0)
        return SLICE_NONE;
    return slice_str(
        arena_printf(a, "%.*s / %.*s", SLICE_ARG(f->name_ja), SLICE_ARG(f->name_en)));
}

static void put_findings(const struct ssmix2_report *r, struct table *t, bool ja)
{
    static const char *const columns[] = {"path",  "severity", "check", "code",
                                          "place", "name",     "text",  NULL};

    table_init(t, r->arena, columns);
    for (const struct ssmix2_report_finding *f = r->first; f; f = f->next) {
        table_row(t);
        table_cell(t, f->path);
        table_cell(t, slice_str(severities[f->item.severity]));
        table_cell(t, slice_str(inspect_name(f->check)));
        table_cell(t, slice_str(err_name(f->item.code)));
        table_cell(t, slice_str(f->item.place));
        table_cell(t, place_name(r->arena, f));
        table_cell(t, slice_str(ja ? f->item.ja : f->item.en));
    }
}

static void put_kinds(const struct ssmix2_report *r, struct table *t)
{
    static const char *const columns[] = {"kind", "files", "valid", "deleted", "old", "other", NULL};

    table_init(t, r->arena, columns);
    for (const struct ssmix2_report_kind *k = r->kinds; k; k = k->next) {
        table_row(t);
        table_cell(t, k->kind);
        table_cellf(t, "%u", k->files);
        table_cellf(t, "%u", k->valid);
        table_cellf(t, "%u", k->deleted);
        table_cellf(t, "%u", k->old);
        table_cellf(t, "%u", k->other);
    }
}

static void put_checks(const struct ssmix2_report *r, struct table *t, bool ja)
{
    static const char *const columns[] = {"check",  "kind",   "judged", "failed",
                                          "warned", "meaning", NULL};

    table_init(t, r->arena, columns);
    for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
        for (const struct ssmix2_report_kind *k = r->kinds; k && c != INSPECT_LIST; k = k->next) {
            if (k->judged[c] == 0)
                continue;
            table_row(t);
            table_cell(t, slice_str(inspect_name((enum inspect_check)c)));
            table_cell(t, k->kind);
            table_cellf(t, "%u", k->judged[c]);
            table_cellf(t, "%u", k->failed[c]);
            table_cellf(t, "%u", k->warned[c]);
            table_cell(t, slice_str(ja ? inspect_ja((enum inspect_check)c)
                                       : inspect_en((enum inspect_check)c)));
        }
    }
}

/* One row a kind, one column a check: "failed/judged", with the warned behind a plus. */
static void put_matrix(const struct ssmix2_report *r, struct table *t)
{
    static const char *const columns[] = {"kind",    "path",  "count",  "jis",    "care-date", "required",
                                          "numeric", "order", "fields", "intake", NULL};

    table_init(t, r->arena, columns);
    for (const struct ssmix2_report_kind *k = r->kinds; k; k = k->next) {
        table_row(t);
        table_cell(t, k->kind);
        for (unsigned c = 0; c < INSPECT_CHECKS; c++) {
            if (c == INSPECT_LIST)
                continue;
            if (k->warned[c] > 0)
                table_cellf(t, "%u/%u +%u", k->failed[c], k->judged[c], k->warned[c]);
            else
                table_cellf(t, "%u/%u", k->failed[c], k->judged[c]);
        }
    }
}

/* "1=12 3=12 5=11": field and how many segments have it. */
static struct slice filled_text(struct arena *a, const struct segment_count *s)
{
    struct buf text;
    struct slice kept;

    buf_init(&text, 4u * LIMIT_KIB);
    for (unsigned n = 1; n < FIELDS_MAX; n++) {
        if (s->filled[n] > 0)
            buf_addf(&text, "%s%u=%llu", text.len ? " " : "", n, (unsigned long long)s->filled[n]);
    }
    kept = arena_dup(a, buf_slice(&text));
    buf_fini(&text);
    return kept;
}

static void put_fields(const struct ssmix2_report *r, struct table *t)
{
    static const char *const columns[] = {"kind", "segment", "segments", "filled", NULL};

    table_init(t, r->arena, columns);
    for (const struct ssmix2_report_kind *k = r->kinds; k; k = k->next) {
        for (const struct segment_count *s = k->segments; s; s = s->next) {
            table_row(t);
            table_cell(t, k->kind);
            table_cell(t, slice_str(s->name));
            table_cellf(t, "%llu", (unsigned long long)s->segments);
            table_cell(t, filled_text(r->arena, s));
        }
    }
}

static int by_count(const void *a, const void *b)
{
    const struct ssmix2_report_value *x = *(struct ssmix2_report_value *const *)a;
    const struct ssmix2_report_value *y = *(struct ssmix2_report_value *const *)b;
    int order = slice_cmp(x->kind->kind, y->kind->kind);

    if (order == 0)
        order = x->choice < y->choice ? -1 : x->choice > y->choice;
    if (order == 0)
        order = x->count > y->count ? -1 : x->count < y->count;
    return order ? order : slice_cmp(x->text, y->text);
}

static void put_values(const struct ssmix2_report *r, struct table *t)
{
    static const char *const columns[] = {"kind", "field", "count", "value", NULL};
    struct ssmix2_report_value **all =
        arena_array(r->arena, r->value_count + 1, sizeof(struct ssmix2_report_value *));
    size_t n = 0;

    table_init(t, r->arena, columns);
    for (unsigned b = 0; all && b < VALUE_BUCKETS; b++) {
        for (struct ssmix2_report_value *v = r->values[b]; v; v = v->next)
            all[n++] = v;
    }
    if (n > 1)
        qsort(all, n, sizeof(struct ssmix2_report_value *), by_count);
    for (size_t i = 0; i < n; i++) {
        const struct ssmix2_report_choice *c = all[i]->choice;
        table_row(t);
        table_cell(t, all[i]->kind->kind);
        if (c->component > 0)
            table_cellf(t, "%.*s-%u.%u", SLICE_ARG(c->segment), c->field, c->component);
        else
            table_cellf(t, "%.*s-%u", SLICE_ARG(c->segment), c->field);
        table_cellf(t, "%llu", (unsigned long long)all[i]->count);
        table_cell(t, all[i]->text);
    }
}

static enum err print_part(const struct table *t, const char *name, bool json)
{
    if (t->first == NULL && !json)
        return ERR_OK;
    if (json)
        (void)printf(",\"%s\":", name);
    enum err err = table_print(t, json);
    if (!json)
        (void)printf("\n");
    return err;
}

enum err ssmix2_report_print(const struct ssmix2_report *r, bool json, bool fields, bool ja)
{
    struct table t;
    enum err err = ERR_OK;

    if (json)
        (void)printf("{\"files\":%u,\"refused\":%u,\"findingsLeftOut\":%u,\"valuesLeftOut\":%u",
                     r->files, r->refused, r->findings_more, r->values_more);
    put_findings(r, &t, ja);
    err = print_part(&t, "findings", json);
    put_values(r, &t);
    if (!err)
        err = print_part(&t, "list", json);
    if (json || fields) {
        put_fields(r, &t);
        if (!err)
            err = print_part(&t, "fields", json);
    }
    put_kinds(r, &t);
    if (!err)
        err = print_part(&t, "kinds", json);
    if (json)
        put_checks(r, &t, ja);
    else
        put_matrix(r, &t);
    if (!err)
        err = print_part(&t, "checks", json);
    if (json)
        (void)printf("}\n");
    return arena_exhausted(r->arena) ? ERR_LIMIT : err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From changes to a message (see feed_find.h). A run is what follows one another in the log of one
 * chart: the results that one message or transaction brought are told in one message. Every record
 * comes through the gate; what the receiving facility made itself is not told it, and a resident
 * without a number there is none of its patients. The patient number is the receiver's own (design
 * invariant 5).
 */
#include "exchange/push/feed_find.h"

#include <stdio.h>

#include "base/limits.h"
#include "exchange/door/fhir.h"
#include "exchange/door/fhir_query.h"
#include "storage/change.h"
#include "storage/locate.h"
#include "storage/person.h"

#include "base/banned.h"

struct find {
    struct session *s;
    struct request *r;
    struct feed_turn *in;
    uint64_t categories;
    struct record *run; /* of one chart */
    size_t run_count;
    struct slice local_no;
    struct report *reports;
    size_t report_count;
    size_t result_count; /* of all reports */
    struct specimen {
        struct slice id;
        struct json *body;
        struct specimen *next;
    } * specimens;
    struct feed_seen *seen;
    int64_t told; /* resources */
};

/* ── the run ─────────────────────────────────────────────────────────────────────────────────── */

/* Is the resident a patient of the receiving facility? */
static enum err find_number(struct find *f, int64_t person)
{
    struct person_ids ids = {0};
    enum err err = person_identifiers(f->s, f->r->arena, person, f->r->grant.facility, false, &ids);
    f->local_no = !err && ids.local_count > 0 ? ids.local_nos[0] : SLICE_NONE;
    return err;
}

static bool is_told(const struct find *f, const struct record *record)
{
    return record->facility != f->r->grant.facility && record->person > 0 &&
           (f->categories & CATEGORY_BIT(record->category));
}

/* Adds RECORD to the run, or begins one with it. False: the run ends before it. */
static enum err take_change(struct find *f, const struct record *record, bool bounded,
                            bool *ret_goes_on)
{
    struct feed_turn *in = f->in;
    *ret_goes_on = true;
    if (f->run_count > 0 && record->chart != f->run[0].chart) {
        *ret_goes_on = bounded; /* others may have become visible within a message tried before */
        return ERR_OK;
    }
    if ((in->chart && record->chart != in->chart) || !is_told(f, record))
        return ERR_OK;
    enum err err = f->run_count > 0 ? ERR_OK : find_number(f, record->person);
    if (err || f->local_no.len == 0)
        return err;
    f->run[f->run_count++] = *record;
    *ret_goes_on = f->run_count < LIMIT_FEED_RUN;
    return ERR_OK;
}

/* A page of changes; *ret_more: go on with the next. */
static enum err look_page(struct find *f, struct change_query *query, int64_t until, bool *ret_more)
{
    struct change_result found = {0};
    bool goes_on = true;
    enum err err = change_list(f->s, f->r->arena, query, &found);
    *ret_more = false;
    for (size_t i = 0; i < found.count && !err && goes_on; i++) {
        if (until && found.records[i].seq > until)
            return ERR_OK;
        err = take_change(f, &found.records[i], until > 0, &goes_on);
        if (!err && goes_on && f->run_count == 0 && !until)
            f->in->scanned = found.records[i].seq;
    }
    if (err || !goes_on || !found.more)
        return err;
    query->after = found.records[found.count - 1].seq;
    *ret_more = true;
    return ERR_OK;
}

static enum err find_run(struct find *f, int64_t until)
{
    static const struct slice types[] = {{"DiagnosticReport", 16}, {"Observation", 11}};
    struct change_query query = {.types = types,
                                 .type_count = 2,
                                 .oldest_first = true,
                                 .current_only = true,
                                 .after_given = true,
                                 .after = f->in->after,
                                 .limit = LIMIT_PUSH_SCAN};
    int64_t last = 0, next = 0;
    bool more = true;
    f->run = arena_array(f->r->arena, LIMIT_FEED_RUN, sizeof(*f->run));
    enum err err = f->run ? change_last(f->s, &last) : ERR_LIMIT;
    if (!err)
        err = change_next(f->s, f->in->after, &next);
    int64_t end_ms = change_ms(next) + f->in->window_ms; /* quiet times of the log cost nothing */
    bool cut = !until && next && end_ms <= change_ms(last);
    query.at_hi = until ? change_ms(until) + 1 : cut ? end_ms : 0;
    for (bool first = true; more && !err && (first || f->run_count > 0 || until); first = false)
        err = look_page(f, &query, until, &more);
    if (!more && f->run_count == 0 && !until)
        f->in->scanned = cut ? change_at(end_ms) - 1 : last;
    f->in->more = more || (cut && f->run_count == 0);
    return err;
}

/* ── what it tells ───────────────────────────────────────────────────────────────────────────── */

static enum err note_seen(struct find *f, const struct record *record, bool patient)
{
    struct feed_seen *seen = ARENA_NEW(f->r->arena, struct feed_seen);
    if (!seen)
        return ERR_LIMIT;
    *seen = (struct feed_seen){.type = record->type,
                               .id = patient ? SLICE_NONE : record->id,
                               .person = record->person,
                               .seq = record->seq,
                               .deleted = record->deleted,
                               .next = f->seen};
    f->seen = seen;
    f->told++;
    return ERR_OK;
}

static enum err parse(struct find *f, struct slice body, const struct json **ret_body)
{
    struct json_fault fault = {0};
    struct json *parsed = NULL;
    enum err err = json_parse(f->r->arena, body, &parsed, &fault);
    if (!err)
        *ret_body = parsed;
    return err;
}

/* What RECORD says, or, when it is deleted, what it said last. */
static enum err body_of(struct find *f, const struct record *record, const struct json **ret_body)
{
    struct record before;
    if (!record->deleted)
        return parse(f, record->body, ret_body);
    enum err err =
        record_read_version(f->s, f->r->arena, record->rid, record->version - 1, &before);
    return err ? err : parse(f, before.body, ret_body);
}

/* "Type/id" of this kind of resource, or empty. */
static struct slice id_in(const struct json *reference, const char *type)
{
    struct slice rest = json_str(reference, "reference");
    return slice_is(slice_cut(&rest, '/'), type) && slice_find(rest, '/', 0) == rest.len
               ? rest
               : SLICE_NONE;
}

/* The current version by id, a delete marker too; *ret_there false: not visible, or of another
 * chart. */
static enum err read_of_chart(struct find *f, const char *type, struct slice id,
                              struct record *ret_record, bool *ret_there)
{
    struct locate place = {0};
    struct record record;
    enum err err = record_read(f->s, f->r->arena, slice_str(type), id, &record);
    *ret_there = false;
    if (err == ERR_GONE) { /* its marker says what it was */
        err = locate_record(f->s, slice_str(type), id, &place);
        if (!err)
            err = record_read_version(f->s, f->r->arena, place.rid, place.version, &record);
    }
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    *ret_there = !err && record.chart == f->run[0].chart;
    *ret_record = record;
    return err;
}

static enum err specimen_of(struct find *f, const struct json *observation,
                            const struct json **ret_specimen)
{
    struct slice id = id_in(json_get(observation, "specimen"), "Specimen");
    struct record record;
    bool there = false;
    *ret_specimen = NULL;
    for (struct specimen *p = f->specimens; p; p = p->next)
        if (slice_eq(p->id, id)) {
            *ret_specimen = p->body;
            return ERR_OK;
        }
    enum err err = id.len ? read_of_chart(f, "Specimen", id, &record, &there) : ERR_OK;
    if (err || !there || record.deleted)
        return err;
    struct specimen *made = ARENA_NEW(f->r->arena, struct specimen);
    err = made ? parse(f, record.body, ret_specimen) : ERR_LIMIT;
    if (err)
        return err;
    *made = (struct specimen){.id = id, .body = (struct json *)*ret_specimen, .next = f->specimens};
    f->specimens = made;
    return note_seen(f, &record, false);
}

static enum err add_result(struct find *f, struct report *report, const struct record *record,
                           const struct json *body)
{
    struct report_result *result = &report->results[report->count];
    *result = (struct report_result){.observation = body, .removed = record->deleted};
    enum err err = record->deleted ? ERR_OK : specimen_of(f, body, &result->specimen);
    if (!err)
        err = note_seen(f, record, false);
    if (!err)
        report->count++;
    f->result_count++;
    return err;
}

static struct report *new_report(struct find *f, struct slice id, size_t results)
{
    struct report *report = &f->reports[f->report_count];
    if (f->report_count == 2 * LIMIT_FEED_RUN || f->result_count + results > LIMIT_FEED_RESULTS) {
        f->in->unsendable = "the message would be too large";
        return NULL;
    }
    *report = (struct report){.id = id};
    /* room for results that were taken out of it */
    report->results = arena_array(f->r->arena, results + LIMIT_FEED_RUN, sizeof(*report->results));
    if (!report->results)
        return NULL;
    f->report_count++;
    return report;
}

static struct report *find_report(const struct find *f, struct slice id)
{
    for (size_t i = 0; i < f->report_count; i++)
        if (f->reports[i].resource && slice_eq(f->reports[i].id, id))
            return &f->reports[i];
    return NULL;
}

/* A report with all its results as they stand. */
static enum err add_report(struct find *f, const struct record *record)
{
    const struct json *body = NULL;
    enum err err = find_report(f, record->id) ? ERR_OK : body_of(f, record, &body);
    if (err || !body)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    const struct json *list = json_get(body, "result");
    struct report *report = new_report(f, record->id, list ? list->count : 0);
    if (!report)
        return f->in->unsendable ? ERR_OK : ERR_LIMIT;
    report->resource = body;
    report->removed = record->deleted;
    err = note_seen(f, record, false);
    for (const struct json *i = list ? list->first : NULL; i && !err; i = i->next) {
        struct slice id = id_in(i, "Observation");
        const struct json *result = NULL;
        struct record observation;
        bool there = false;
        if (id.len)
            err = read_of_chart(f, "Observation", id, &observation, &there);
        if (err || !there || (record->deleted && !observation.deleted))
            continue;
        err = body_of(f, &observation, &result);
        if (!err)
            err = add_result(f, report, &observation, result);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err;
}

/* Adds the reports that QUERY finds on this chart. */
static enum err add_reports(struct find *f, const char *query)
{
    struct search search = {0};
    struct search_result found = {0};
    enum err err =
        fhir_query_parse(f->s, f->r, SLICE("DiagnosticReport"), slice_str(query), &search);
    search.limit = LIMIT_PUSH_SCAN;
    if (!err)
        err = search_run(f->s, f->r->arena, &search, &found);
    for (size_t i = 0; i < found.count && !err; i++)
        if (found.records[i].chart == f->run[0].chart && is_told(f, &found.records[i]))
            err = add_report(f, &found.records[i]);
    return err;
}

/* Is the result of ID told by a report already? A withdrawn report tells of withdrawn results only.
 */
static bool is_held(const struct find *f, const struct record *record)
{
    for (size_t i = 0; i < f->report_count; i++) {
        const struct json *list = json_get(f->reports[i].resource, "result");
        bool tells = record->deleted || !f->reports[i].removed;
        for (const struct json *k = list && tells ? list->first : NULL; k; k = k->next)
            if (slice_eq(id_in(k, "Observation"), record->id))
                return true;
    }
    return false;
}

/* A result that was taken out of its report as it was deleted belongs to the report of the same
 * order. */
static struct report *report_of_order(const struct find *f, const struct json *body)
{
    struct slice order = json_str(json_path(body, "basedOn", "0", NULL), "reference");
    for (size_t i = 0; i < f->report_count && order.len; i++) {
        const struct json *other = json_path(f->reports[i].resource, "basedOn", "0", NULL);
        if (slice_eq(json_str(other, "reference"), order))
            return &f->reports[i];
    }
    return NULL;
}

static enum err add_observation(struct find *f, const struct record *record)
{
    const struct json *body = NULL;
    struct arena *a = f->r->arena;
    if (is_held(f, record))
        return ERR_OK;
    const char *query = arena_printf(a, "result=Observation/%.*s", SLICE_ARG(record->id));
    enum err err = query ? add_reports(f, query) : ERR_LIMIT;
    if (err || is_held(f, record))
        return err;
    err = body_of(f, record, &body);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct report *report = record->deleted ? report_of_order(f, body) : NULL;
    if (!report)
        report = new_report(f, record->id, 1);
    if (!report)
        return f->in->unsendable ? ERR_OK : ERR_LIMIT;
    return add_result(f, report, record, body);
}

static enum err collect(struct find *f)
{
    enum err err = ERR_OK;
    f->reports = arena_array(f->r->arena, 2 * LIMIT_FEED_RUN, sizeof(*f->reports));
    if (!f->reports)
        return ERR_LIMIT;
    for (size_t i = 0; i < f->run_count && !err; i++)
        if (slice_is(f->run[i].type, "DiagnosticReport"))
            err = add_report(f, &f->run[i]);
    for (size_t i = 0; i < f->run_count && !err && !f->in->unsendable; i++)
        if (slice_is(f->run[i].type, "Observation"))
            err = add_observation(f, &f->run[i]);
    return err;
}

/* ── the message ─────────────────────────────────────────────────────────────────────────────── */

static enum err read_patient(struct find *f, const struct json **ret_patient)
{
    struct record record;
    enum err err = record_read_patient(f->s, f->r->arena, f->r->person, &record);
    if (err)
        return err == ERR_NOT_FOUND || err == ERR_GONE ? ERR_OK : err;
    err = parse(f, record.body, ret_patient);
    return err ? err : note_seen(f, &record, true);
}

static enum err make_message(struct find *f)
{
    struct feed_turn *in = f->in;
    struct request *r = f->r;
    struct facility source = {0};
    struct report_env env = {
        .receiver_code = r->caller.facility.code,
        .local_no = f->local_no,
        .application = slice_str(in->conf->application),
        .place = slice_str(in->conf->place),
        .salt = slice_str(arena_printf(r->arena, "%s:%lld:%lld", in->conf->name,
                                       (long long)in->after, (long long)in->until)),
        .utf8 = strcmp(in->conf->charset, "utf-8") == 0,
        .sent_ms = change_ms(in->until),
    };
    size_t replaced = 0;
    struct buf out;
    enum err err = registry_facility_by_id(f->s, r->arena, f->run[0].facility, &source);
    if (!err)
        err = read_patient(f, &env.patient);
    if (err)
        return err;
    env.source_code = source.code.len ? source.code : source.key;
    env.source_name = source.name;
    buf_init(&out, LIMIT_MLLP_FRAME);
    err =
        report_write(r->arena, &env, f->reports, f->report_count, &out, in->message_id, &replaced);
    if (!err)
        in->message = arena_dup(r->arena, buf_slice(&out));
    buf_fini(&out);
    if (err == ERR_TOO_LARGE) {
        in->unsendable = "the message would be too large";
        return ERR_OK;
    }
    return err || in->message.len ? err : ERR_LIMIT;
}

enum err feed_find(struct session *s, struct request *r, struct feed_turn *in, int64_t until)
{
    struct find f = {.s = s, .r = r, .in = in, .categories = conf_feed_categories(in->conf->send)};
    enum err err = find_run(&f, until);
    if (err || f.run_count == 0)
        return err;
    in->chart = f.run[0].chart;
    if (!until) {
        in->after = f.run[0].seq - 1;
        until = f.run[f.run_count - 1].seq;
    }
    in->until = until;
    r->person = f.run[0].person;
    err = collect(&f);
    if (!err && !in->unsendable && f.report_count > 0)
        err = make_message(&f);
    if (err)
        return err;
    if (f.report_count == 0 && !in->unsendable)
        in->until = 0;
    in->seen = f.seen;
    r->entity = fhir_entity(r, f.run[0].type, f.run[0].id);
    r->count = f.told;
    r->query =
        arena_printf(r->arena, "feed %s mllp%s://%s:%d %s", in->conf->name,
                     in->conf->tls ? "s" : "", in->conf->host, in->conf->port, in->message_id);
    return ERR_OK;
}

static enum err still(struct session *s, struct request *r, const struct feed_seen *seen,
                      bool *ret_still)
{
    struct record now;
    enum err err = seen->id.len ? record_read(s, r->arena, seen->type, seen->id, &now)
                                : record_read_patient(s, r->arena, seen->person, &now);
    bool absent = err == ERR_NOT_FOUND || err == ERR_GONE;
    *ret_still = seen->deleted ? err == ERR_GONE : !err && now.seq == seen->seq;
    return absent ? ERR_OK : err;
}

enum err feed_find_holds(struct session *s, struct request *r, const struct feed_turn *in,
                         bool *ret_holds)
{
    enum err err = ERR_OK;
    *ret_holds = true;
    for (const struct feed_seen *seen = in->seen; seen && *ret_holds && !err; seen = seen->next)
        err = still(s, r, seen, ret_holds);
    return err;
}

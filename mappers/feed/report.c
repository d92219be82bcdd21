/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes ORU^R01 (see report.h): MSH PID { OBR [NTE] { OBX [NTE] } [SPM] }. One patient's results
 * come to his facility from several others under one number, and receivers compare order numbers
 * alone: so ours begin with the code of the facility that gave them. What a resource does not say
 * stays empty; nothing is invented.
 */
#include "mappers/feed/report.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/when.h"
#include "mappers/charset.h"
#include "mappers/ssmix2/writer.h"

#include "base/banned.h"

#define PATIENT_NUMBERS "1.2.392.100495.20.3.51.1" /* + facility code */

struct printer {
    struct writer w; /* of no file: its segments say all that v2.5 has */
    const struct report_env *env;
};

static struct slice str(const struct json *object, const char *key)
{
    return json_str(object, key);
}

/* ---- header ---- */

static void put_msh(struct printer *p, struct slice control_id)
{
    struct arena *a = p->w.s.arena;
    struct buf stamp;

    buf_init(&stamp, 64);
    when_print_stamp(&stamp, p->env->sent_ms);
    struct slice sent = buf_slice(&stamp);
    buf_adds(p->w.s.out, "MSH|^~\\&");
    p->w.s.field = 2;
    segment_put(&p->w.s, 3, SLICE("TASUKI"));
    segment_put(&p->w.s, 4, segment_escape(a, p->env->source_code));
    segment_put(&p->w.s, 5, segment_escape(a, p->env->application));
    segment_put(&p->w.s, 6, segment_escape(a, p->env->place));
    segment_put(&p->w.s, 7,
                segment_format(a, "%.*s.%.*s", SLICE_ARG(slice_sub(sent, 0, 14)),
                               SLICE_ARG(slice_sub(sent, 14, 3))));
    segment_put(&p->w.s, 9, SLICE("ORU^R01^ORU_R01"));
    segment_put(&p->w.s, 10, control_id);
    segment_put(&p->w.s, 11, SLICE("P"));
    segment_put(&p->w.s, 12, SLICE("2.5"));
    segment_put(&p->w.s, 17, SLICE("JPN"));
    segment_put(&p->w.s, 18, p->env->utf8 ? SLICE("UNICODE UTF-8") : SLICE("~ISO IR87"));
    if (!p->env->utf8)
        segment_put(&p->w.s, 20, SLICE("ISO 2022-1994"));
    segment_end(&p->w.s);
    buf_fini(&stamp);
}

static struct slice print_name(struct arena *a, const struct json *value, const void *arg)
{
    (void)arg;
    return segment_name(a, value);
}

static void put_pid(struct printer *p)
{
    struct arena *a = p->w.s.arena;
    struct slice code = segment_escape(a, p->env->receiver_code);
    struct slice number = segment_format(a, "%.*s^^^%.*s&" PATIENT_NUMBERS "%.*s&ISO^PI",
                                         SLICE_ARG(segment_escape(a, p->env->local_no)),
                                         SLICE_ARG(code), SLICE_ARG(code));

    static const struct field rows[] = {{5, print_name, "name[]", NULL},
                                        {7, field_time, "birthDate", NULL},
                                        {8, field_back, "gender", terms_gender},
                                        FIELD_END};
    const struct field_given given[] = {
        {1, SLICE("0001"), false}, {3, number, false}, {0, SLICE_NONE, false}};

    field_segment(&p->w.s, "PID", rows, p->env->patient, given);
}

/* NTE of one comment. */
static void put_note(struct printer *p, struct slice text)
{
    if (text.len == 0)
        return;
    segment_begin(&p->w.s, "NTE");
    segment_put(&p->w.s, 1, SLICE("1"));
    segment_put(&p->w.s, 3, segment_escape(p->w.s.arena, text));
    segment_end(&p->w.s);
}

/* ---- OBR ---- */

/* 15 digits of a text that is no number for people: ids of our own. */
static struct slice digits_of(struct arena *a, struct slice text)
{
    unsigned char sha[DIGEST_LEN];
    char *out = arena_alloc(a, 16);

    digest_sha256(text, sha);
    for (size_t i = 0; out && i < 15; i++)
        out[i] = (char)('0' + sha[i] % 10);
    return slice_of(out, out ? 15 : 0);
}

/* The order, as an entity identifier in the source's name. Results on their own that were ordered
 * together share one. */
static struct slice order_of(struct printer *p, const struct report *r)
{
    struct arena *a = p->w.s.arena;
    const struct json *resource = r->resource ? r->resource : r->results[0].observation;
    const struct json *identifiers = json_get(resource, "identifier");
    const struct json *request = json_path(resource, "basedOn", "0", NULL);
    struct slice number = segment_identifier(identifiers, "order");

    if (number.len == 0)
        number = segment_identifier(identifiers, "filler-order");
    if (number.len == 0)
        number = str(json_get(request, "identifier"), "value");
    if (number.len == 0)
        number =
            digits_of(a, str(request, "reference").len > 0 ? str(request, "reference") : r->id);
    struct slice code = segment_escape(a, p->env->source_code);
    return segment_format(a, "%.*s-%.*s^%.*s", SLICE_ARG(code),
                          SLICE_ARG(segment_escape(a, number)), SLICE_ARG(code));
}

/* Table 0074: what the report says of itself; else by its category, where that has one section. */
static struct slice section_of(const struct json *report)
{
    static const struct {
        const char *code, *section;
    } known[] = {{"LP29693-6", "LAB"}, {"LP29684-5", "RAD"}};
    const struct json *list = json_get(report, "category");

    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        const struct json *coding = json_path(c, "coding", "0", NULL);
        if (slice_is(str(coding, "system"), "http://terminology.hl7.org/CodeSystem/v2-0074"))
            return str(coding, "code");
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (slice_is(str(coding, "code"), known[i].code))
                return slice_str(known[i].section);
        }
    }
    return SLICE_NONE;
}

static struct slice report_status(const struct report *r)
{
    struct slice status = str(r->resource, "status"), code;

    if (r->removed || slice_is(status, "entered-in-error") || slice_is(status, "cancelled"))
        return SLICE("X");
    if (!r->resource)
        return SLICE_NONE;
    if (slice_is(status, "amended") || slice_is(status, "appended"))
        return SLICE("C");
    code = segment_back(terms_report_status, status);
    return code.len > 0 ? code : SLICE("I");
}

static void put_obr(struct printer *p, const struct report *r, unsigned n)
{
    struct arena *a = p->w.s.arena;
    const struct json *first = r->count > 0 ? r->results[0].observation : NULL;
    const struct json *from = r->resource ? r->resource : first;
    const struct json *period = json_get(from, "effectivePeriod");
    struct slice code = segment_concept(a, json_get(from, "code"));
    struct slice start = str(from, "effectiveDateTime");

    if (start.len == 0)
        start = str(period, "start");
    if (start.len == 0)
        start = str(first, "effectiveDateTime");
    segment_begin(&p->w.s, "OBR");
    segment_number(&p->w.s, 1, n);
    segment_put(&p->w.s, 2, order_of(p, r));
    segment_put(&p->w.s, 4, code);
    segment_put(&p->w.s, 7, segment_time(a, start));
    segment_put(&p->w.s, 8, segment_time(a, str(period, "end")));
    segment_put(&p->w.s, 22, segment_time(a, str(from, "issued")));
    segment_put(&p->w.s, 24, segment_escape(a, section_of(r->resource)));
    segment_put(&p->w.s, 25, report_status(r));
    segment_end(&p->w.s);
    put_note(p, r->removed ? SLICE_NONE : str(r->resource, "conclusion"));
}

/* ---- results ---- */

/* OBX-4 where one item comes several times: which of them. */
static struct slice sub_id(struct printer *p, const struct report *r, size_t i)
{
    struct arena *a = p->w.s.arena;
    struct slice code = segment_concept(a, json_get(r->results[i].observation, "code"));
    unsigned before = 0, all = 0;

    for (size_t j = 0; j < r->count; j++) {
        bool same = slice_eq(code, segment_concept(a, json_get(r->results[j].observation, "code")));
        all += same;
        before += same && j <= i;
    }
    return all > 1 ? segment_format(a, "%u", before) : SLICE_NONE;
}

/* OBSERVATION in the words of v2.5's table 0085, which knows no amendment. */
static const struct json *in_words(struct arena *a, const struct json *observation)
{
    if (!slice_is(str(observation, "status"), "amended"))
        return observation;
    struct json *o = json_clone(a, observation);
    json_put_text(a, o, "status", "corrected");
    return o;
}

static void put_components(struct printer *p, const struct json *observation, struct slice sub)
{
    struct arena *a = p->w.s.arena;
    const struct json *list = json_get(observation, "component");
    unsigned part = 0;

    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        if (writer_is_answer(observation, c))
            continue;
        struct json *o = json_clone(a, c); /* it has the status and time of the whole */
        json_put_str(a, o, "status", str(observation, "status"));
        json_put_str(a, o, "effectiveDateTime", str(observation, "effectiveDateTime"));
        p->w.sub = segment_format(a, "%.*s%s%u", SLICE_ARG(sub), sub.len > 0 ? "." : "", ++part);
        writer_result(&p->w, o);
    }
}

/* Which one it was, and no more. */
static void put_withdrawn(struct printer *p, const struct json *observation)
{
    static const struct field rows[] = {{3, field_concept, "code", NULL},
                                        {14, field_time, "effectiveDateTime", NULL},
                                        {14, field_time, "effectivePeriod.start", NULL},
                                        FIELD_END};
    const struct field_given given[] = {{1, writer_set_id(&p->w, ++p->w.n), false},
                                        {4, p->w.sub, false},
                                        {11, SLICE("D"), false},
                                        {15, p->w.producer, false},
                                        {0, SLICE_NONE, false}};

    field_segment(&p->w.s, "OBX", rows, observation, given);
}

static bool has_value(const struct json *observation)
{
    for (const struct json *m = observation->first; m; m = m->next)
        if (slice_starts(m->key, SLICE("value")))
            return true;
    return false;
}

static void put_result(struct printer *p, const struct report_result *result, bool removed)
{
    const struct json *o = in_words(p->w.s.arena, result->observation);
    struct slice sub = p->w.sub;

    if (removed || slice_is(str(o, "status"), "entered-in-error")) {
        put_withdrawn(p, o);
        return;
    }
    if (!json_get(o, "component") || has_value(o)) /* of a panel only its parts have values */
        writer_result(&p->w, o);
    put_components(p, o, sub);
}

static void put_results(struct printer *p, const struct report *r)
{
    struct arena *a = p->w.s.arena;

    p->w.n = 0;
    p->w.producer =
        segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_escape(a, p->env->source_code)),
                       SLICE_ARG(segment_escape(a, p->env->source_name)));
    for (size_t i = 0; i < r->count; i++) {
        p->w.sub = sub_id(p, r, i);
        put_result(p, &r->results[i], r->results[i].removed || r->removed);
    }
}

/* v2.5 has the specimens of an order behind its results. */
static void put_specimens(struct printer *p, const struct report *r)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->count; i++) {
        bool again = !r->results[i].specimen || r->results[i].removed || r->removed;
        for (size_t j = 0; j < i; j++)
            again = again || r->results[j].specimen == r->results[i].specimen;
        if (!again)
            writer_specimen(&p->w, r->results[i].specimen, ++n,
                            str(r->results[i].observation, "effectiveDateTime"));
    }
}

/* ---- the message ---- */

/* 20 of 32 letters: 100 bits. */
static void control_id_of(struct slice salt, struct slice text, char ret_id[REPORT_CONTROL_ID + 1])
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char sha[2][DIGEST_LEN], all[DIGEST_LEN];

    digest_sha256(salt, sha[0]);
    digest_sha256(text, sha[1]);
    digest_sha256(slice_of(sha, sizeof(sha)), all);
    for (size_t i = 0; i < REPORT_CONTROL_ID; i++)
        ret_id[i] = letters[all[i] & 31];
    ret_id[REPORT_CONTROL_ID] = '\0';
}

static enum err write_text(struct arena *arena, const struct report_env *env,
                           const struct report *reports, size_t count, struct slice control_id,
                           struct buf *text)
{
    struct write_group group = {.kind = "ORU"};
    struct printer p = {.w = {.s = {arena, text, 0}, .group = &group}, .env = env};

    buf_clear(text);
    put_msh(&p, control_id);
    put_pid(&p);
    for (size_t i = 0; i < count; i++) {
        put_obr(&p, &reports[i], (unsigned)i + 1);
        put_results(&p, &reports[i]);
        put_specimens(&p, &reports[i]);
    }
    return arena_exhausted(arena) ? ERR_LIMIT : buf_err(text);
}

enum err report_write(struct arena *arena, const struct report_env *env,
                      const struct report *reports, size_t count, struct buf *out,
                      char ret_control_id[REPORT_CONTROL_ID + 1], size_t *ret_replaced)
{
    char id[REPORT_CONTROL_ID + 1] = "";
    struct buf text;

    buf_init(&text, LIMIT_MLLP_FRAME);
    *ret_replaced = 0;
    enum err err = write_text(arena, env, reports, count, SLICE_NONE, &text);
    if (!err) {
        control_id_of(env->salt, buf_slice(&text), id);
        err = write_text(arena, env, reports, count, slice_str(id), &text);
    }
    if (!err)
        err = charset_encode(env->utf8 ? CHARSET_UTF8 : CHARSET_ISO2022JP, buf_slice(&text), out,
                             ret_replaced);
    if (!err)
        memcpy(ret_control_id, id, sizeof(id));
    buf_fini(&text);
    return err;
}

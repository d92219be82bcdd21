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
#include "mappers/ssmix2/result.h"

#include "base/banned.h"

#define PATIENT_NUMBERS "1.2.392.100495.20.3.51.1" /* + facility code */

struct printer {
    struct segment s;
    const struct report_env *env;
};

static struct slice str(const struct json *object, const char *key)
{
    return json_str(object, key);
}

/* ---- header ---- */

static void put_msh(struct printer *p, struct slice control_id)
{
    struct arena *a = p->s.arena;
    struct buf stamp;

    buf_init(&stamp, 64);
    when_print_stamp(&stamp, p->env->sent_ms);
    struct slice sent = buf_slice(&stamp);
    buf_adds(p->s.out, "MSH|^~\\&");
    p->s.field = 2;
    segment_put(&p->s, 3, SLICE("TASUKI"));
    segment_put(&p->s, 4, segment_escape(a, p->env->source_code));
    segment_put(&p->s, 5, segment_escape(a, p->env->application));
    segment_put(&p->s, 6, segment_escape(a, p->env->place));
    segment_put(&p->s, 7,
                segment_format(a, "%.*s.%.*s", SLICE_ARG(slice_sub(sent, 0, 14)),
                               SLICE_ARG(slice_sub(sent, 14, 3))));
    segment_put(&p->s, 9, SLICE("ORU^R01^ORU_R01"));
    segment_put(&p->s, 10, control_id);
    segment_put(&p->s, 11, SLICE("P"));
    segment_put(&p->s, 12, SLICE("2.5"));
    segment_put(&p->s, 17, SLICE("JPN"));
    segment_put(&p->s, 18, p->env->utf8 ? SLICE("UNICODE UTF-8") : SLICE("~ISO IR87"));
    if (!p->env->utf8)
        segment_put(&p->s, 20, SLICE("ISO 2022-1994"));
    segment_end(&p->s);
    buf_fini(&stamp);
}

static void put_pid(struct printer *p)
{
    struct arena *a = p->s.arena;
    struct slice code = segment_escape(a, p->env->receiver_code);
    struct slice number = segment_format(a, "%.*s^^^%.*s&" PATIENT_NUMBERS "%.*s&ISO^PI",
                                         SLICE_ARG(segment_escape(a, p->env->local_no)),
                                         SLICE_ARG(code), SLICE_ARG(code));

    result_pid(&p->s, number, p->env->patient, false);
    segment_end(&p->s);
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
    struct arena *a = p->s.arena;
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
    struct arena *a = p->s.arena;
    const struct json *first = r->count > 0 ? r->results[0].observation : NULL;
    const struct json *from = r->resource ? r->resource : first;
    const struct json *period = json_get(from, "effectivePeriod");
    struct slice code = segment_concept(a, json_get(from, "code"));
    struct slice start = str(from, "effectiveDateTime");

    if (start.len == 0)
        start = str(period, "start");
    if (start.len == 0)
        start = str(first, "effectiveDateTime");
    segment_begin(&p->s, "OBR");
    segment_number(&p->s, 1, n);
    segment_put(&p->s, 2, order_of(p, r));
    segment_put(&p->s, 4, code);
    segment_put(&p->s, 7, segment_time(a, start));
    segment_put(&p->s, 8, segment_time(a, str(period, "end")));
    segment_put(&p->s, 22, segment_time(a, str(from, "issued")));
    segment_put(&p->s, 24, segment_escape(a, section_of(r->resource)));
    segment_put(&p->s, 25, report_status(r));
    segment_end(&p->s);
    result_note(&p->s, 1, r->removed ? SLICE_NONE : str(r->resource, "conclusion"));
}

/* ---- results ---- */

/* OBX-4 where one item comes several times: which of them. */
static struct slice sub_id(struct printer *p, const struct report *r, size_t i)
{
    struct arena *a = p->s.arena;
    struct slice code = segment_concept(a, json_get(r->results[i].observation, "code"));
    unsigned before = 0, all = 0;

    for (size_t j = 0; j < r->count; j++) {
        bool same = slice_eq(code, segment_concept(a, json_get(r->results[j].observation, "code")));
        all += same;
        before += same && j <= i;
    }
    return all > 1 ? segment_format(a, "%u", before) : SLICE_NONE;
}

static void put_components(struct printer *p, const struct report_result *result,
                           struct result_line *line)
{
    struct arena *a = p->s.arena;
    const struct json *list = json_get(result->observation, "component");
    unsigned part = 0;

    for (const struct json *c = list ? list->first : NULL; c; c = c->next) {
        if (result_is_answer(result->observation, c))
            continue;
        struct result_line more = *line;
        struct json *o = json_clone(a, c); /* it has the status and time of the whole */
        json_put_str(a, o, "status", str(result->observation, "status"));
        json_put_str(a, o, "effectiveDateTime", str(result->observation, "effectiveDateTime"));
        more.n = ++line->n;
        more.observation = o;
        more.sub = segment_format(a, "%.*s%s%u", SLICE_ARG(line->sub), line->sub.len > 0 ? "." : "",
                                  ++part);
        result_obx(&p->s, &more);
    }
}

static bool has_value(const struct json *observation)
{
    for (const struct json *m = observation->first; m; m = m->next)
        if (slice_starts(m->key, SLICE("value")))
            return true;
    return false;
}

static void put_results(struct printer *p, const struct report *r)
{
    struct arena *a = p->s.arena;
    struct result_line line = {
        .whole = true,
        .producer =
            segment_format(a, "%.*s^%.*s", SLICE_ARG(segment_escape(a, p->env->source_code)),
                           SLICE_ARG(segment_escape(a, p->env->source_name)))};

    for (size_t i = 0; i < r->count; i++) {
        const struct report_result *result = &r->results[i];
        line.observation = result->observation;
        line.removed = result->removed || r->removed;
        line.sub = sub_id(p, r, i);
        bool parts = json_get(result->observation, "component") && !line.removed;
        if (!parts || has_value(result->observation)) { /* of a panel only its parts have values */
            line.n++;
            result_obx(&p->s, &line);
        }
        if (parts)
            put_components(p, result, &line);
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
            result_spm(&p->s, ++n, r->results[i].specimen,
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
    struct printer p = {.s = {arena, text, 0}, .env = env};

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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of outgoing messages (see segment.h). Codes go out under the names they came in by; a
 * code system nobody has a name for keeps its URL, because a short name would be a guess.
 */
#include "mappers/ssmix2/segment.h"

#include <assert.h>

#include "base/digest.h"
#include "base/when.h"
#include "mappers/hl7v2/print.h"

#include "base/banned.h"

#define FIELD_MAX 65536u
#define LOCAL "urn:tasuki:local:"
#define TABLE "http://terminology.hl7.org/CodeSystem/v2-"
#define SSMIX2 "urn:tasuki:ssmix2:"
#define KANA_READING "urn:tasuki:extension:kana-reading"
#define EN_REPRESENTATION "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

/* ---- segments ---- */

void segment_begin(struct segment *s, const char *name)
{
    buf_adds(s->out, name);
    s->field = 0;
}

void segment_end(struct segment *s)
{
    buf_addc(s->out, '\r');
}

static void go_to(struct segment *s, unsigned n)
{
    assert(n > s->field);
    for (; s->field < n; s->field++)
        buf_addc(s->out, '|');
}

void segment_put(struct segment *s, unsigned n, struct slice value)
{
    if (value.len == 0)
        return;
    go_to(s, n);
    buf_add(s->out, value);
}

void segment_must(struct segment *s, unsigned n, struct slice value)
{
    segment_put(s, n, value.len > 0 ? value : SLICE("\"\""));
}

void segment_again(struct segment *s, unsigned n, struct slice value)
{
    if (value.len == 0)
        return;
    if (s->field == n)
        buf_addc(s->out, '~');
    else
        go_to(s, n);
    buf_add(s->out, value);
}

void segment_number(struct segment *s, unsigned n, unsigned value)
{
    go_to(s, n);
    buf_add_decimal(s->out, value, 0);
}

/* ---- texts ---- */

struct slice segment_escape(struct arena *a, struct slice text)
{
    static const struct hl7_delimiters usual = {'|', '^', '~', '\\', '&'};
    struct buf out;

    buf_init(&out, FIELD_MAX * 16);
    hl7_escape(&usual, text, &out);
    struct slice kept = arena_dup(a, buf_slice(&out));
    buf_fini(&out);
    return kept;
}

/* Digits of TEXT. */
static struct slice digits_of(struct arena *a, struct slice text)
{
    char *out = arena_alloc(a, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            out[len++] = text.ptr[i];
    }
    return slice_of(out, len);
}

struct slice segment_time(struct arena *a, struct slice fhir)
{
    struct when when;
    struct buf stamp;
    struct slice out = SLICE_NONE;

    if (!when_parse_fhir(fhir, false, &when))
        return SLICE_NONE;
    if (slice_find(fhir, 'T', 0) == fhir.len)
        return digits_of(a, fhir);
    buf_init(&stamp, 64);
    when_print_stamp(&stamp, when.lo_ms);
    struct slice all = buf_slice(&stamp);
    if (all.len == 17 && !slice_is(slice_sub(all, 14, 3), "000"))
        out = segment_format(a, "%.14s.%.3s", all.ptr, all.ptr + 14);
    else
        out = arena_dup(a, slice_sub(all, 0, 14));
    buf_fini(&stamp);
    return out;
}

struct slice segment_day(struct arena *a, struct slice fhir)
{
    struct slice time = segment_time(a, fhir);

    return time.len >= 8 ? slice_sub(time, 0, 8) : SLICE_NONE;
}

struct slice segment_back(const struct term *table, struct slice to)
{
    for (const struct term *t = table; to.len > 0 && t->from; t++) {
        if (slice_is(to, t->to))
            return slice_str(t->from);
    }
    return SLICE_NONE;
}

/* ---- codes ---- */

/* %XX back to bytes, where that gives text; a name of another's making that does not stays as is.
 */
static struct slice unescape_url(struct arena *a, struct slice text)
{
    char *out = arena_alloc(a, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < text.len; i++) {
        unsigned char byte = 0;
        if (text.ptr[i] == '%' && digest_unhex(slice_sub(text, i + 1, 2), &byte, 1)) {
            out[len++] = (char)byte;
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    return slice_is_utf8(slice_of(out, len)) ? slice_of(out, len) : text;
}

struct slice segment_system(struct arena *a, struct slice url)
{
    struct slice known = segment_back(terms_system, url);

    if (known.len > 0 || url.len == 0)
        return known;
    if (slice_is(url, "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS"))
        return SLICE("MR9P"); /* rde.c makes it of that name */
    if (slice_starts(url, SLICE(TABLE)))
        return segment_format(a, "HL7%.*s",
                              SLICE_ARG(segment_escape(a, slice_sub(url, strlen(TABLE), url.len))));
    if (slice_starts(url, SLICE(SSMIX2)))
        return segment_escape(a, slice_sub(url, strlen(SSMIX2), url.len));
    if (slice_starts(url, SLICE(LOCAL))) {
        size_t colon = slice_find(url, ':', strlen(LOCAL));
        return segment_escape(a, unescape_url(a, slice_sub(url, colon + 1, url.len)));
    }
    return segment_escape(a, url);
}

struct slice segment_coding(struct arena *a, const struct json *coding)
{
    struct slice code = segment_escape(a, json_str(coding, "code"));

    if (code.len == 0)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s^%.*s", SLICE_ARG(code),
                          SLICE_ARG(segment_escape(a, json_str(coding, "display"))),
                          SLICE_ARG(segment_system(a, json_str(coding, "system"))));
}

struct slice segment_concept(struct arena *a, const struct json *concept)
{
    const struct json *first = json_path(concept, "coding", "0", NULL);
    const struct json *second = json_path(concept, "coding", "1", NULL);
    struct slice text = json_str(concept, "text"), out = segment_coding(a, first);
    struct slice version = segment_escape(a, json_str(first, "version"));
    bool bare = json_str(first, "display").len == 0;
    bool told = slice_eq(text, json_str(first, bare ? "code" : "display"));

    if (slice_is(json_str(second, "system"), "http://loinc.org"))
        second = NULL; /* ours, beside the sender's */
    if (out.len == 0)
        return text.len > 0 ? segment_format(a, "^%.*s", SLICE_ARG(segment_escape(a, text)))
                            : SLICE_NONE;
    if (second)
        out = segment_format(a, "%.*s^%.*s", SLICE_ARG(out), SLICE_ARG(segment_coding(a, second)));
    if (version.len > 0 || (text.len > 0 && !told)) /* components 7 and 9 */
        out = segment_format(a, "%.*s%s^%.*s", SLICE_ARG(out), second ? "" : "^^^",
                             SLICE_ARG(version));
    if (text.len > 0 && !told)
        out = segment_format(a, "%.*s^^%.*s", SLICE_ARG(out), SLICE_ARG(segment_escape(a, text)));
    return out;
}

struct slice segment_unit(struct arena *a, const struct json *quantity)
{
    struct slice unit = json_str(quantity, "unit"), code = json_str(quantity, "code");
    struct slice system = json_str(quantity, "system");

    if (unit.len == 0 && code.len == 0)
        return SLICE_NONE;
    if (slice_is(system, "http://unitsofmeasure.org") || system.len == 0) {
        const struct term *known = terms_unit(unit);
        struct slice spelt = unit.len > 0 ? unit : code;
        if (code.len > 0 && !(known && slice_is(code, known->to))) /* one that leads to the code */
            spelt = segment_back(terms_ucum, code).len > 0 ? segment_back(terms_ucum, code) : code;
        return segment_format(a, "%.*s^%.*s^ISO+", SLICE_ARG(segment_escape(a, spelt)),
                              SLICE_ARG(segment_escape(a, unit.len > 0 ? unit : spelt)));
    }
    return segment_format(a, "%.*s^%.*s^%.*s", SLICE_ARG(segment_escape(a, code)),
                          SLICE_ARG(segment_escape(a, unit)), SLICE_ARG(segment_system(a, system)));
}

/* ---- people ---- */

/* "family given" at its first blank (also the full-width one). */
static void split_name(struct slice text, struct slice *ret_family, struct slice *ret_given)
{
    size_t wide = slice_search(text, SLICE("　"), 0), blank = slice_find(text, ' ', 0);
    size_t at = wide < blank ? wide : blank;

    *ret_family = slice_sub(text, 0, at);
    *ret_given = at < text.len ? slice_sub(text, at + (at == wide ? 3 : 1), text.len) : SLICE_NONE;
}

struct slice segment_person(struct arena *a, const struct json *reference)
{
    struct slice number = json_str(json_get(reference, "identifier"), "value");
    struct slice family, given;

    split_name(json_str(reference, "display"), &family, &given);
    if (number.len == 0 && family.len == 0)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s^%.*s^^^^^^^L^^^^^I", SLICE_ARG(segment_escape(a, number)),
                          SLICE_ARG(segment_escape(a, family)),
                          SLICE_ARG(segment_escape(a, given)));
}

struct slice segment_name(struct arena *a, const struct json *name)
{
    struct slice family = json_str(name, "family"), use = json_str(name, "use");
    const struct json *given = json_path(name, "given", "0", NULL);
    struct slice first = given ? given->text : SLICE_NONE;
    const struct json *script = segment_extension(name, EN_REPRESENTATION);

    if (family.len == 0 && first.len == 0)
        split_name(json_str(name, "text"), &family, &first);
    if (family.len == 0 && first.len == 0)
        return SLICE_NONE;
    return segment_format(
        a, "%.*s^%.*s^^^^^%.*s^%.*s", SLICE_ARG(segment_escape(a, family)),
        SLICE_ARG(segment_escape(a, first)), SLICE_ARG(segment_back(terms_name_use, use)),
        SLICE_ARG(segment_back(terms_name_script, json_str(script, "valueCode"))));
}

struct slice segment_reading(struct arena *a, const struct json *name)
{
    const struct json *reading = segment_extension(name, KANA_READING);
    struct slice family, given, use = segment_back(terms_name_use, json_str(name, "use"));

    split_name(json_str(reading, "valueString"), &family, &given);
    if (family.len == 0)
        return SLICE_NONE;
    return segment_format(a, "%.*s^%.*s^^^^^%.*s^P", SLICE_ARG(segment_escape(a, family)),
                          SLICE_ARG(segment_escape(a, given)), SLICE_ARG(use));
}

struct slice segment_address(struct arena *a, const struct json *address)
{
    const struct json *line = json_path(address, "line", "0", NULL);
    struct slice text = json_str(address, "text");
    struct slice postal = json_str(address, "postalCode");

    if (text.len == 0 && postal.len == 0 && !line)
        return SLICE_NONE;
    return segment_format(a, "%.*s^^%.*s^%.*s^%.*s^%.*s^%.*s^%.*s",
                          SLICE_ARG(segment_escape(a, line ? line->text : SLICE_NONE)),
                          SLICE_ARG(segment_escape(a, json_str(address, "city"))),
                          SLICE_ARG(segment_escape(a, json_str(address, "state"))),
                          SLICE_ARG(segment_escape(a, postal)),
                          SLICE_ARG(segment_escape(a, json_str(address, "country"))),
                          SLICE_ARG(segment_back(terms_address_use, json_str(address, "use"))),
                          SLICE_ARG(segment_escape(a, text)));
}

struct slice segment_telecom(struct arena *a, const struct json *point)
{
    struct slice value = segment_escape(a, json_str(point, "value"));
    struct slice use = segment_back(terms_telecom_use, json_str(point, "use"));
    struct slice system = json_str(point, "system");

    if (value.len == 0)
        return SLICE_NONE;
    if (slice_is(system, "email"))
        return segment_format(a, "^NET^Internet^%.*s", SLICE_ARG(value));
    if (slice_is(json_str(point, "use"), "mobile"))
        return segment_format(a, "^PRS^CP^^^^^^^^^%.*s", SLICE_ARG(value));
    if (json_str(point, "use").len == 0)
        use = SLICE("ORN"); /* without any it would read as the number at home */
    return segment_format(a, "^%.*s^%s^^^^^^^^^%.*s", SLICE_ARG(use),
                          slice_is(system, "fax") ? "FX" : "PH", SLICE_ARG(value));
}

/* ---- parts of resources ---- */

struct slice segment_identifier(const struct json *list, const char *name)
{
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        struct slice system = json_str(i, "system");
        size_t tail = strlen(name);
        bool whole = slice_is(system, name);
        bool ends = system.len > tail && slice_ends(system, slice_str(name)) &&
                    system.ptr[system.len - tail - 1] == ':';
        if (whole || ends)
            return json_str(i, "value");
    }
    return SLICE_NONE;
}

const struct json *segment_extension(const struct json *element, const char *url)
{
    const struct json *list = json_get(element, "extension");

    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, "url"), url))
            return i;
    }
    return NULL;
}

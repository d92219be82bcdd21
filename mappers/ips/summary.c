/* SPDX-License-Identifier: Apache-2.0
 *
 * The IPS document and the view of it. A section that holds nothing says which of three it is: none
 * known (somebody stated so), nothing recorded, or not for this reader; "no record" is never turned
 * into "no allergy". What a section leaves out (window, bound) is an extension on it and a sentence
 * in its narrative. References stay "Type/id" and every fullUrl is base/Type/id, so they resolve
 * inside the document.
 */
#include "mappers/ips/summary.h"

#include <assert.h>

#include "base/limits.h"
#include "base/when.h"
#include "mappers/html/page.h"
#include "mappers/ips/banner.h"
#include "mappers/ips/pick.h"
#include "mappers/ips/row.h"

#include "base/banned.h"

#define LOINC "http://loinc.org"
#define EMPTY_REASON "http://terminology.hl7.org/CodeSystem/list-empty-reason"
#define IPS "http://hl7.org/fhir/uv/ips/StructureDefinition/"
#define KIND_SYSTEM "urn:tasuki:summary-kind"
#define LEFT_OUT "urn:tasuki:extension:records-left-out"
#define PARTLY "urn:tasuki:extension:partly-withheld"
#define NARRATIVE "mappers/html/section.xsl"

struct build {
    struct arena *a;
    const struct summary_input *in;
    struct pick_list picks;
    struct json *entries;
    const char *composition_id;
    const char *author_id;
    const char *patient_ref;
};

static const enum facts_section usual_order[] = {
    FACTS_PROBLEMS,      FACTS_MEDICATIONS, FACTS_ALLERGIES, FACTS_RESULTS,
    FACTS_VITALS,        FACTS_PROCEDURES,  FACTS_DEVICES,   FACTS_PAST,
    FACTS_IMMUNIZATIONS, FACTS_ENCOUNTERS,  FACTS_PLAN,      FACTS_SOCIAL};
static const enum facts_section emergency_order[] = {
    FACTS_ALLERGIES,  FACTS_MEDICATIONS,   FACTS_PROBLEMS,   FACTS_PAST,
    FACTS_RESULTS,    FACTS_VITALS,        FACTS_PROCEDURES, FACTS_DEVICES,
    FACTS_ENCOUNTERS, FACTS_IMMUNIZATIONS, FACTS_PLAN,       FACTS_SOCIAL};

/* Why a section is empty, and what it says then. */
static const struct absence {
    const char *state;
    const char *code;
    const char *display;
    const char *text;
} absences[] = {
    {"withheld", "withheld", "Information Withheld",
     "この利用者には表示できません / not available to this reader"},
    {"unavailable", "unavailable", "Unavailable", "記録なし / not recorded"},
};

/* ── small builders ───────────────────────────────────────────────────────────────────────────────
 */

static struct json *put_concept(struct arena *a, struct json *holder, const char *member,
                                const char *system, const char *code)
{
    struct json *concept = json_put_object(a, holder, member);
    struct json *coding = json_push_object(a, json_put_array(a, concept, "coding"));
    json_put_text(a, coding, "system", system);
    json_put_text(a, coding, "code", code);
    return concept;
}

static void put_display(struct arena *a, struct json *concept, const char *display)
{
    json_put_text(a, json_path(concept, "coding", "0", NULL), "display", display);
}

static void put_reference(struct arena *a, struct json *holder, const char *member,
                          const char *reference)
{
    json_put_text(a, json_put_object(a, holder, member), "reference", reference);
}

static void put_profile(struct arena *a, struct json *resource, const char *profile)
{
    struct json *list = json_put_array(a, json_put_object(a, resource, "meta"), "profile");
    json_push(list, json_string(a, slice_str(profile)));
}

static struct slice instant(struct arena *a, int64_t ms)
{
    struct buf out;
    buf_init(&out, 64);
    when_print_instant(&out, ms);
    struct slice text = arena_dup(a, buf_slice(&out));
    buf_fini(&out);
    return text;
}

static const char *reference_to(struct arena *a, const struct json *resource)
{
    struct slice type = json_str(resource, "resourceType"), id = json_str(resource, "id");
    return arena_printf(a, "%.*s/%.*s", SLICE_ARG(type), SLICE_ARG(id));
}

static void push_entry(struct build *b, struct json *resource)
{
    struct json *entry = json_push_object(b->a, b->entries);
    const char *reference = reference_to(b->a, resource);
    json_put_text(b->a, entry, "fullUrl",
                  arena_printf(b->a, "%.*s/%s", SLICE_ARG(b->in->base_url), reference));
    json_set(entry, "resource", resource);
}

/* ── sections ─────────────────────────────────────────────────────────────────────────────────────
 */

static struct json *rows_of(struct arena *a, const struct pick_list *picks,
                            enum facts_section section)
{
    struct json *rows = json_new(a, JSON_ARRAY);
    for (size_t i = 0; i < picks->count; i++) {
        const struct pick *p = &picks->items[i];
        if (p->section == section && !p->older)
            json_push(rows, row_make(a, section, p->resource, p->previous));
    }
    return rows;
}

/* Everything said is a statement that there is none. */
static bool only_none_known(const struct json *rows)
{
    for (const struct json *r = rows->first; r; r = r->next)
        if (!slice_is(json_str(r, "mark"), "none-known"))
            return false;
    return rows->count > 0;
}

/* What a sheet needs of a section; for its narrative and for the page. */
static struct json *section_view(struct arena *a, enum facts_section section, bool emergency,
                                 struct json *rows, const char *absent)
{
    const struct facts_about *about = &facts_sections[section];
    unsigned months = emergency ? about->months_emergency : about->months;
    struct json *view = json_new(a, JSON_OBJECT);
    json_put_text(a, view, "key", about->key);
    json_put_text(a, view, "title_ja", about->ja);
    json_put_text(a, view, "title_en", about->en);
    json_put_text(a, view, "state",
                  only_none_known(rows) ? "nilknown"
                  : rows->count         ? "present"
                                        : absent);
    if (months)
        json_put_int(a, view, "months", months);
    json_set(view, "rows", rows);
    return view;
}

static enum err put_narrative(struct arena *a, struct json *section, const struct json *view)
{
    struct buf out;
    buf_init(&out, LIMIT_SUMMARY_NARRATIVE);
    enum err err = page_render(NARRATIVE, view, "ja", true, &out);
    if (!err) {
        struct json *text = json_put_object(a, section, "text");
        json_put_text(a, text, "status", "generated");
        json_put_str(a, text, "div", arena_dup(a, slice_trim(buf_slice(&out))));
    }
    buf_fini(&out);
    return err;
}

static void put_extension(struct arena *a, struct json *section, const char *url,
                          const char *member, struct json *value)
{
    struct json *list = json_get(section, "extension");
    if (!list)
        list = json_put_array(a, section, "extension");
    struct json *extension = json_push_object(a, list);
    json_put_text(a, extension, "url", url);
    json_set(extension, member, value);
}

/* Title, code, narrative and what was left out; then either entries or a reason. */
static enum err make_section(struct build *b, enum facts_section which, bool withheld,
                             struct json *section)
{
    const struct facts_about *about = &facts_sections[which];
    const struct absence *absence = &absences[withheld ? 0 : 1];
    struct json *rows = rows_of(b->a, &b->picks, which);
    if (!rows)
        return ERR_LIMIT;
    bool partly = withheld && rows->count > 0;
    unsigned left_out = b->picks.left_out[which];
    if (left_out)
        put_extension(b->a, section, LEFT_OUT, "valueInteger", json_int(b->a, left_out));
    if (partly)
        put_extension(b->a, section, PARTLY, "valueBoolean", json_new(b->a, JSON_TRUE));
    json_put_text(b->a, section, "title", arena_printf(b->a, "%s / %s", about->ja, about->en));
    put_display(b->a, put_concept(b->a, section, "code", LOINC, about->loinc), about->display);
    struct json *view = section_view(b->a, which, b->in->emergency, rows, absence->state);
    if (partly)
        json_put_bool(b->a, view, "partly", true);
    if (left_out)
        json_put_int(b->a, view, "left_out", left_out);
    if (arena_exhausted(b->a))
        return ERR_LIMIT;
    enum err err = put_narrative(b->a, section, view);
    if (err || rows->count > 0)
        return err;
    struct json *reason = put_concept(b->a, section, "emptyReason", EMPTY_REASON, absence->code);
    put_display(b->a, reason, absence->display);
    json_put_text(b->a, reason, "text", absence->text);
    return ERR_OK;
}

static void push_section_entries(struct build *b, enum facts_section which, struct json *section)
{
    struct json *list = NULL;
    for (size_t i = 0; i < b->picks.count; i++) {
        const struct pick *p = &b->picks.items[i];
        if (p->section != which)
            continue;
        if (!list)
            list = json_put_array(b->a, section, "entry");
        json_put_text(b->a, json_push_object(b->a, list), "reference",
                      reference_to(b->a, p->resource));
        push_entry(b, json_clone(b->a, p->resource));
    }
}

static bool has_section(const struct build *b, enum facts_section which, bool withheld)
{
    for (size_t i = 0; i < b->picks.count; i++)
        if (b->picks.items[i].section == which)
            return true;
    return facts_sections[which].required || b->picks.left_out[which] ||
           (withheld && which != FACTS_PAST && which != FACTS_DEVICES);
}

static enum err make_sections(struct build *b, struct json *composition)
{
    const enum facts_section *order = b->in->emergency ? emergency_order : usual_order;
    struct json *sections = json_put_array(b->a, composition, "section");
    enum err err = ERR_OK;
    for (size_t i = 0; i < FACTS_SECTIONS && !err; i++) {
        uint64_t categories = facts_sections[order[i]].categories;
        bool withheld = categories && (b->in->withheld & categories) == categories;
        if (!has_section(b, order[i], withheld))
            continue;
        struct json *section = json_push_object(b->a, sections);
        err = make_section(b, order[i], withheld, section);
        if (!err)
            push_section_entries(b, order[i], section);
    }
    return err;
}

/* ── the document ─────────────────────────────────────────────────────────────────────────────────
 */

static struct json *make_author(struct build *b)
{
    struct json *organization = json_new(b->a, JSON_OBJECT);
    json_put_text(b->a, organization, "resourceType", "Organization");
    json_put_text(b->a, organization, "id", b->author_id);
    json_put_bool(b->a, organization, "active", true);
    json_put_str(b->a, organization, "name", b->in->author.len ? b->in->author : SLICE("Tasuki"));
    return organization;
}

static struct json *make_composition(struct build *b)
{
    struct arena *a = b->a;
    struct json *c = json_new(a, JSON_OBJECT);
    json_put_text(a, c, "resourceType", "Composition");
    json_put_text(a, c, "id", b->composition_id);
    put_profile(a, c, IPS "Composition-uv-ips");
    json_put_text(a, c, "language", "ja");
    struct json *identifier = json_put_object(a, c, "identifier");
    json_put_text(a, identifier, "system", "urn:ietf:rfc:3986");
    json_put_text(a, identifier, "value", arena_printf(a, "urn:uuid:%s", b->composition_id));
    json_put_text(a, c, "status", "final");
    put_display(a, put_concept(a, c, "type", LOINC, "60591-5"), "Patient summary Document");
    const char *kind = b->in->emergency ? "emergency" : "standard";
    struct json *category = json_push_object(a, json_put_array(a, c, "category"));
    struct json *coding = json_push_object(a, json_put_array(a, category, "coding"));
    json_put_text(a, coding, "system", KIND_SYSTEM);
    json_put_text(a, coding, "code", kind);
    put_reference(a, c, "subject", b->patient_ref);
    json_put_str(a, c, "date", instant(a, b->in->now_ms));
    const char *author = arena_printf(a, "Organization/%s", b->author_id);
    struct json *by = json_push_object(a, json_put_array(a, c, "author"));
    json_put_text(a, by, "reference", author);
    json_put_str(a, by, "display", b->in->author);
    json_put_text(a, c, "title", "患者サマリー / Patient summary");
    put_reference(a, c, "custodian", author);
    return c;
}

static struct json *make_envelope(struct build *b, const char *id)
{
    struct json *bundle = json_new(b->a, JSON_OBJECT);
    json_put_text(b->a, bundle, "resourceType", "Bundle");
    json_put_text(b->a, bundle, "id", id);
    put_profile(b->a, bundle, IPS "Bundle-uv-ips");
    struct json *identifier = json_put_object(b->a, bundle, "identifier");
    json_put_text(b->a, identifier, "system", "urn:ietf:rfc:3986");
    json_put_text(b->a, identifier, "value", arena_printf(b->a, "urn:uuid:%s", id));
    json_put_text(b->a, bundle, "type", "document");
    json_put_str(b->a, bundle, "timestamp", instant(b->a, b->in->now_ms));
    b->entries = json_put_array(b->a, bundle, "entry");
    return bundle;
}

static const char *new_id(struct arena *a, void (*make_id)(char ret_id[37]))
{
    char id[37];
    make_id(id);
    return arena_str(a, slice_str(id));
}

enum err summary_bundle(struct arena *arena, const struct summary_input *input,
                        void (*make_id)(char ret_id[37]), struct json **ret_bundle)
{
    struct pick_rules rules = {.now_ms = input->now_ms, .emergency = input->emergency};
    struct build b = {.a = arena, .in = input};
    assert(input->patient);
    b.composition_id = new_id(arena, make_id);
    b.author_id = new_id(arena, make_id);
    b.patient_ref = reference_to(arena, input->patient);
    enum err err = pick_all(arena, input->resources, input->count, &rules, &b.picks);
    if (err)
        return err;
    struct json *bundle = make_envelope(&b, new_id(arena, make_id));
    struct json *composition = make_composition(&b);
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    push_entry(&b, composition);
    push_entry(&b, json_clone(arena, input->patient));
    push_entry(&b, make_author(&b));
    err = make_sections(&b, composition);
    if (!err && arena_exhausted(arena))
        err = ERR_LIMIT;
    if (!err)
        *ret_bundle = bundle;
    return err;
}

/* ── the view ─────────────────────────────────────────────────────────────────────────────────────
 */

static const struct json *resolve(const struct json *bundle, struct slice reference)
{
    const struct json *list = json_get(bundle, "entry");
    size_t slash = slice_find(reference, '/', 0);
    struct slice type = slice_sub(reference, 0, slash);
    struct slice id = slice_sub(reference, slash + 1, reference.len);
    for (const struct json *e = list ? list->first : NULL; e; e = e->next) {
        const struct json *r = json_get(e, "resource");
        if (slice_eq(json_str(r, "id"), id) && slice_eq(json_str(r, "resourceType"), type))
            return r;
    }
    return NULL;
}

static bool find_section(const struct json *section, enum facts_section *ret_section)
{
    struct slice code = facts_code(json_get(section, "code"), LOINC);
    for (unsigned i = 0; i < FACTS_SECTIONS; i++) {
        if (slice_is(code, facts_sections[i].loinc)) {
            *ret_section = (enum facts_section)i;
            return true;
        }
    }
    return false;
}

static const struct json *extension_value(const struct json *section, const char *url,
                                          const char *member)
{
    const struct json *list = json_get(section, "extension");
    for (const struct json *e = list ? list->first : NULL; e; e = e->next)
        if (slice_is(json_str(e, "url"), url))
            return json_get(e, member);
    return NULL;
}

static enum err section_rows(struct arena *a, const struct json *bundle, const struct json *section,
                             enum facts_section which, struct json **ret_rows)
{
    const struct json *list = json_get(section, "entry");
    const struct json **found = arena_array(a, list ? list->count : 1, sizeof(*found));
    struct pick_rules rules = {.all = true};
    struct pick_list picks = {0};
    size_t count = 0;
    if (!found)
        return ERR_LIMIT;
    for (const struct json *e = list ? list->first : NULL; e; e = e->next) {
        const struct json *resource = resolve(bundle, json_str(e, "reference"));
        if (resource)
            found[count++] = resource;
    }
    enum err err = pick_all(a, found, count, &rules, &picks);
    if (!err)
        *ret_rows = rows_of(a, &picks, which);
    return err;
}

static enum err view_section(struct arena *a, const struct json *bundle, const struct json *section,
                             struct json *view)
{
    struct json *sections = json_get(view, "sections");
    bool emergency = json_is_true(json_get(view, "emergency"));

    enum facts_section which = FACTS_SECTIONS;
    struct json *rows = NULL;
    if (!find_section(section, &which))
        return ERR_OK;
    enum err err = section_rows(a, bundle, section, which, &rows);
    if (!err && !rows)
        err = ERR_LIMIT;
    if (err)
        return err;
    struct slice reason = facts_code(json_get(section, "emptyReason"), EMPTY_REASON);
    struct json *one = section_view(a, which, emergency, rows, "unavailable");
    if (!rows->count && reason.len)
        json_put_str(a, one, "state", reason);
    const struct json *left_out = extension_value(section, LEFT_OUT, "valueInteger");
    if (left_out)
        json_set(one, "left_out", json_number(a, left_out->text));
    if (json_is_true(extension_value(section, PARTLY, "valueBoolean")))
        json_put_bool(a, one, "partly", true);
    json_push(sections, one);
    return ERR_OK;
}

enum err summary_view(struct arena *arena, const struct json *bundle, int64_t now_ms,
                      struct json **ret_view)
{
    const struct json *composition = json_path(bundle, "entry", "0", "resource", NULL);
    const struct json *list = json_get(composition, "section");
    enum err err = ERR_OK;
    if (!slice_is(json_str(composition, "resourceType"), "Composition"))
        return ERR_INVALID;
    const struct json *patient =
        resolve(bundle, json_str(json_get(composition, "subject"), "reference"));
    if (!patient)
        return ERR_INVALID;
    struct json *view = json_new(arena, JSON_OBJECT);
    json_put_str(arena, view, "made", row_date(arena, instant(arena, now_ms), true));
    json_put_str(arena, view, "author",
                 json_str(json_path(composition, "author", "0", NULL), "display"));
    json_put_bool(arena, view, "emergency",
                  slice_is(facts_code(json_path(composition, "category", "0", NULL), KIND_SYSTEM),
                           "emergency"));
    json_set(view, "patient", banner_make(arena, patient, now_ms));
    json_put_array(arena, view, "sections");
    for (const struct json *s = list ? list->first : NULL; s && !err; s = s->next)
        err = view_section(arena, bundle, s, view);
    if (!err && arena_exhausted(arena))
        err = ERR_LIMIT;
    if (!err)
        *ret_view = view;
    return err;
}

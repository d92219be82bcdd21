/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts a region's parties and records into the store. Parties by one administrative job; records as
 * requests on behalf of whoever would have sent them, so that every rule of the exchange holds for
 * invented data too and the audit chain tells of it.
 */
#include <assert.h>
#include <stdio.h>

#include "exchange/batch.h"
#include "exchange/demo/clinical.h"
#include "exchange/demo/region.h"
#include "exchange/use/claim.h"
#include "mappers/charset.h"
#include "storage/audit.h"

#include "base/banned.h"

/* ── parties ─────────────────────────────────────────────────────────────────────────────────── */

struct registration {
    struct store_job job; /* first: cast back */
    struct region *region;
};

static enum err register_facilities(struct session *s, struct region *r)
{
    int64_t ids[DEMO_FACILITY_COUNT] = {0};
    enum err err = ERR_OK;

    for (int f = 0; f < DEMO_FACILITY_COUNT && !err; f++) {
        const struct demo_facility_row *row = &demo_facilities[f];
        const struct pki_cert *cert = &r->facility_certs[f];
        struct facility facility = {.key = slice_str(row->key),
                                    .code = slice_str(row->code),
                                    .name = slice_str(row->name),
                                    .kind = row->kind,
                                    .active = true};

        if (f == DEMO_HOME)
            continue; /* exchange_open keeps it */
        err = registry_put_facility(s, &facility, &ids[f]);
        if (!err)
            err = registry_put_cert(s, cert->fingerprint, slice_str(row->key),
                                    slice_str(cert->serial_hex), ids[f], 0);
    }
    for (size_t i = 0; i < demo_staff_count && !err; i++)
        err = registry_put_staff(s, ids[demo_staff[i].facility], slice_str(demo_staff[i].user),
                                 slice_str(demo_staff[i].name), demo_staff[i].role);
    return err;
}

static enum err claim_of(struct arena *arena, const struct demo_person *p,
                         struct person_claim *ret_claim)
{
    struct mapped_patient patient = {
        .insurer = slice_str(p->insurer),
        .symbol = slice_str(p->symbol),
        .number = slice_str(p->number),
        .branch = slice_str(p->branch),
        .name = slice_str(arena_printf(arena, "%s %s", p->family, p->given)),
        .kana = slice_str(arena_printf(arena, "%s %s", p->family_kana, p->given_kana)),
        .birth_date =
            slice_str(arena_printf(arena, "%.4s-%.2s-%.2s", p->birth, p->birth + 4, p->birth + 6)),
        .gender = p->sex == 'M' ? SLICE("male") : SLICE("female"),
    };

    return arena_exhausted(arena) ? ERR_LIMIT : claim_from_mapped(arena, &patient, ret_claim);
}

static enum err register_resident(struct session *s, struct region *r, unsigned i)
{
    const struct demo_person *p = &r->people[i];
    struct person_claim claim = {0};
    enum err err = claim_of(r->arena, p, &claim);

    if (!err)
        err = person_register(s, &claim, &r->persons[i]);
    if (!err)
        err = person_issue_card(s, r->persons[i], slice_str(p->card));
    if (!err && i < DEMO_STORY_COUNT)
        err = registry_put_cert(s, r->resident_certs[i].fingerprint, slice_str(p->key),
                                slice_str(r->resident_certs[i].serial_hex), 0, r->persons[i]);
    return err;
}

static enum err register_apply(struct session *s, struct store_job *job)
{
    struct region *r = ((struct registration *)job)->region;
    enum err err = register_facilities(s, r);

    for (unsigned i = 0; i < r->options.patients && !err; i++)
        err = register_resident(s, r, i);
    return err;
}

static enum err register_audit(struct session *s, struct store_job *job)
{
    const struct region *r = ((struct registration *)job)->region;
    struct audit_row row = {.event = "register",
                            .outcome = job->err,
                            .door = "command",
                            .actor = "operator",
                            .entity = "region",
                            .count = job->err ? 0 : r->options.patients,
                            .reason = "demo"};

    return audit_append(s, &row);
}

enum err region_register(struct exchange *x, struct region *region)
{
    struct registration registration = {.job = {.apply = register_apply, .audit = register_audit},
                                        .region = region};

    return store_run(x->store, &registration.job);
}

/* ── records ─────────────────────────────────────────────────────────────────────────────────── */

struct loading {
    struct region *region;
    struct region_tally *tally;
    struct batch batch;
};

static void ended(void *context, struct request *r, void *tag)
{
    struct region_tally *tally = ((struct loading *)context)->tally;
    const struct err_item *first = r->errors.first;

    (void)tag;
    if (!r->job.err || tally->refused++ > 0)
        return;
    while (first && first->severity != ERR_SEVERITY_ERROR)
        first = first->next;
    (void)snprintf(tally->first, sizeof(tally->first), "%.*s: %s %s %s %.60s",
                   SLICE_ARG(r->facility_key), err_name(r->job.err), first ? first->place : "",
                   first ? first->en : "", r->body.len ? r->body.ptr : "");
}

static enum err load_document(void *context, const struct demo_person *person,
                              const struct demo_document *document)
{
    struct loading *l = context;
    struct slice key = slice_str(demo_facilities[document->facility].key);

    if (document->kind == DEMO_HL7)
        return batch_message(&l->batch, key, document->bytes, NULL);
    if (document->facility == DEMO_HOME)
        return batch_resource(&l->batch, SLICE_NONE, l->region->persons[person->index],
                              document->bytes, NULL);
    return batch_resource(&l->batch, key, 0, document->bytes, NULL);
}

static enum err load_organizations(struct loading *l)
{
    enum err err = ERR_OK;

    for (int f = 0; f < DEMO_FACILITY_COUNT && !err; f++) {
        char json[512];
        int n =
            snprintf(json, sizeof(json),
                     "{\"resourceType\":\"Organization\",\"id\":\"%s\",\"identifier\":[{\"system\":"
                     "\"http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no\","
                     "\"value\":\"%s\"}],\"active\":true,\"name\":\"%s\"}",
                     demo_facilities[f].key, demo_facilities[f].code, demo_facilities[f].name);

        assert(n > 0 && n < (int)sizeof(json));
        if (f != DEMO_HOME)
            err = batch_resource(&l->batch, slice_str(demo_facilities[DEMO_OPERATOR].key), 0,
                                 slice_of(json, (size_t)n), NULL);
    }
    return err;
}

enum err region_load(struct exchange *x, struct region *region, bool parties_only,
                     struct region_tally *ret_tally)
{
    struct region_tally tally = {0};
    struct loading l = {.region = region, .tally = &tally};
    enum err err = charset_init();

    batch_init(&l.batch, x, ended, &l);
    if (!err)
        err = load_organizations(&l);
    for (unsigned i = 0; !parties_only && i < region->options.patients && !err; i++)
        err = clinical_emit(&region->people[i], region->now_ms, load_document, &l);
    batch_finish(&l.batch);
    tally.documents = l.batch.started;
    *ret_tally = tally;
    return l.batch.failed ? l.batch.failed : err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A transaction (R4 http.html#transaction): all entries or none, in one transaction of the store with one audit row for each
 * resident. Look prepares everything that needs no writing, on a reader's thread:
 *
 *   1. what each entry is: method, URL, route; criteria are judged against the state before the transaction
 *   2. identities: each fullUrl -> the reference that will be true afterwards
 *   3. references to fullUrls and conditional references are rewritten
 *   4. each writing entry's own look (checks, search values, text)
 *
 * Apply opens the charts of its Patients, then runs DELETE, POST, PUT and PATCH, GET, in this order whatever the order
 * of entries. If criteria match something else by then, everything is prepared again, on the writer.
 */
#include "exchange/door/fhir_bundle.h"
#include "exchange/door/fhir_form.h"
#include "exchange/door/fhir_conditional.h"
#include "exchange/door/fhir_links.h"
#include "exchange/gate/grant.h"
#include "mappers/fhir/definition.h"
#include "mappers/fhir/outcome.h"

#include "base/banned.h"

/* The order of execution. */
enum rank { RANK_DELETE, RANK_POST, RANK_PUT, RANK_GET, RANK_COUNT };

struct tx_entry {
    struct fhir_entry sent;
    struct request *child;
    enum rank rank;
    bool conditional;
    struct slice target; /* what a reference to its fullUrl becomes; empty: nothing */
};

struct fhir_transaction {
    struct tx_entry *entries;
    size_t count;
    struct write_scope scope;
    struct tx_reference { /* conditional references, to be judged again */
        struct slice criteria, found;
        struct tx_reference *next;
    } *references;
    struct fhir_entry_answer *answers;
};

static struct fhir_input *input_of(const struct tx_entry *e)
{
    return e->child->input;
}

/* The child's errors become the transaction's, with the entry's place. */
static enum err fail(struct request *r, const struct tx_entry *e, enum err err)
{
    const struct err_item *i = e->child->errors.first;
    if (!i)
        return err_add(&r->errors, err, fhir_bundle_place(r->arena, e->sent.number, ""), NULL);
    for (; i; i = i->next)
        (void)err_say(&r->errors, i->severity, i->code,
                      fhir_bundle_place(r->arena, e->sent.number, i->place), i->en, i->ja);
    return err;
}

/* ── 1: what each entry is ───────────────────────────────────────────────────────────────────── */

static const struct {
    const char *method;
    enum rank rank;
} ranks[] = {{"DELETE", RANK_DELETE}, {"POST", RANK_POST}, {"PUT", RANK_PUT},
             {"PATCH", RANK_PUT},     {"GET", RANK_GET},   {"HEAD", RANK_GET}};

static enum err rank_of(struct request *r, struct tx_entry *e)
{
    for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++)
        if (slice_is(e->sent.method, ranks[i].method)) {
            e->rank = ranks[i].rank;
            return ERR_OK;
        }
    return err_add(&r->errors, ERR_INVALID,
                   arena_printf(r->arena, "Bundle.entry[%u].request.method", e->sent.number),
                   "%.*s", SLICE_ARG(e->sent.method));
}

/* An interaction inside a transaction may be any that its caller may use at all. */
static enum err open_entry(struct request *r, struct tx_entry *e)
{
    enum err err = rank_of(r, e);
    if (err)
        return err;
    e->child = fhir_bundle_child(r, &e->sent);
    if (!e->child)
        return ERR_LIMIT;
    struct fhir_input *in = input_of(e);
    if (!in->route)
        return fail(r, e, in->refusal);
    if (e->rank != RANK_GET && in->shape != FHIR_TYPE && in->shape != FHIR_INSTANCE)
        return fail(r, e, ERR_NOT_SUPPORTED); /* operations that may write have no place in it */
    if (!e->child->use->anyone) /* metadata: under the grant of the transaction */
        err = grant_make(e->child);
    in->checked = true;
    e->conditional = in->if_none_exist.len > 0 ||
                     (in->shape == FHIR_TYPE && (e->rank == RANK_PUT || e->rank == RANK_DELETE));
    if (e->conditional)
        in->condition.criteria =
            in->if_none_exist.len ? in->if_none_exist : fhir_conditional_criteria(e->child);
    return err ? fail(r, e, err) : ERR_OK;
}

static enum err judge(struct session *s, struct request *r, struct tx_entry *e)
{
    struct fhir_input *in = input_of(e);
    enum err err = ERR_OK;
    if (!e->conditional)
        return ERR_OK;
    in->condition.fixed = false;
    err = fhir_conditional_find(s, e->child, in->type, &in->condition);
    in->condition.fixed = true;
    if (!err)
        err = fhir_conditional_single(e->child, &in->condition);
    return err ? fail(r, e, err) : ERR_OK;
}

/* ── 2: identities ───────────────────────────────────────────────────────────────────────────── */

static bool writes_resource(const struct tx_entry *e)
{
    return e->rank == RANK_POST || e->rank == RANK_PUT;
}

/* The id of a home vital sign is made of what it says: it can only be known once it is read. */
static bool names_itself(const struct tx_entry *e)
{
    return e->rank == RANK_POST && write_is_home_vital(e->child, input_of(e)->type);
}

/* What references to this entry's fullUrl will say. A Patient is named by his entry until his chart is known. */
static enum err name_entry(struct session *s, struct request *r, struct tx_entry *e)
{
    struct fhir_input *in = input_of(e);
    struct write *w = &in->write;
    char id[IDS_UUID_LEN + 1];
    if (!writes_resource(e) || names_itself(e))
        return ERR_OK;
    if (e->conditional && in->condition.count == 1) {
        struct slice found = refs_id(e->child, &in->condition.match);
        w->new_id = found;
    } else if (in->id.len) {
        w->new_id = in->id;
    } else if (slice_is(e->sent.method, "PUT") && json_str(e->sent.resource, "id").len) {
        w->new_id = json_str(e->sent.resource, "id");
    } else {
        ids_uuid_ordered(session_now_ms(s), id);
        w->new_id = w->made_id = arena_dup(r->arena, slice_str(id));
    }
    bool is_found = e->conditional && e->rank == RANK_POST && in->condition.count == 1;
    e->target = slice_str(slice_is(in->type, "Patient") && !is_found
                              ? arena_printf(r->arena, REFS_ENTRY "%u", e->sent.number)
                              : arena_printf(r->arena, "%.*s/%.*s", SLICE_ARG(in->type),
                                             SLICE_ARG(w->new_id)));
    return e->target.ptr ? ERR_OK : ERR_LIMIT;
}

/* No two entries may change the same resource. */
static enum err check_twice(struct request *r, const struct fhir_transaction *tx)
{
    for (size_t i = 0; i < tx->count; i++) {
        const struct fhir_input *a = input_of(&tx->entries[i]);
        if (tx->entries[i].rank == RANK_GET || tx->entries[i].rank == RANK_POST)
            continue;
        struct slice id = a->id.len ? a->id : a->write.new_id;
        for (size_t k = 0; k < i; k++) {
            const struct fhir_input *b = input_of(&tx->entries[k]);
            struct slice other = b->id.len ? b->id : b->write.new_id;
            if (tx->entries[k].rank != RANK_GET && id.len && slice_eq(a->type, b->type) &&
                slice_eq(id, other))
                return err_add_words(
                    &r->errors, ERR_INVALID,
                    arena_printf(r->arena, "Bundle.entry[%u].request.url", tx->entries[i].sent.number),
                    "another entry changes the same resource",
                    "同じリソースを変更する項目が他にあります");
        }
    }
    return ERR_OK;
}

/* ── 3: references ───────────────────────────────────────────────────────────────────────────── */

struct rewrite {
    struct session *s;
    struct request *r;
    struct fhir_transaction *tx;
    const struct tx_entry *entry;
};

/* RESTful fullUrls: a relative reference in that entry is relative to the same base. */
static struct slice base_of(const struct tx_entry *e)
{
    struct slice type = json_str(e->sent.resource, "resourceType");
    struct slice url = e->sent.full_url;
    const char *middle = "/";
    size_t at = 0;
    if (!type.len || !slice_starts(url, SLICE("http")))
        return SLICE_NONE;
    at = slice_search(url, type, 0);
    return at > 1 && at < url.len && url.ptr[at - 1] == *middle ? slice_sub(url, 0, at) : SLICE_NONE;
}

static const struct tx_entry *entry_named(const struct rewrite *w, struct slice reference)
{
    struct slice base = base_of(w->entry);
    for (size_t i = 0; i < w->tx->count; i++) {
        const struct tx_entry *e = &w->tx->entries[i];
        struct slice url = e->sent.full_url;
        if (!e->target.len || !url.len)
            continue;
        if (slice_eq(url, reference))
            return e;
        if (base.len && slice_starts(url, base) &&
            slice_eq(slice_sub(url, base.len, url.len), reference))
            return e;
    }
    return NULL;
}

static enum err find_conditional(struct rewrite *w, struct slice text, const char *place,
                                 struct slice *ret_found)
{
    struct tx_reference *known = w->tx->references;
    while (known && !slice_eq(known->criteria, text))
        known = known->next;
    if (!known) {
        known = ARENA_NEW(w->r->arena, struct tx_reference);
        if (!known)
            return ERR_LIMIT;
        enum err err = fhir_conditional_reference(w->s, w->r, text, place, &known->found);
        if (err)
            return err;
        known->criteria = text;
        known->next = w->tx->references;
        w->tx->references = known;
    }
    *ret_found = known->found;
    return ERR_OK;
}

static enum err rewrite_reference(void *context, struct json *reference, const char *place)
{
    struct rewrite *w = context;
    struct slice text = json_str(reference, "reference");
    const struct tx_entry *named = text.len ? entry_named(w, text) : NULL;
    struct slice found = named ? named->target : SLICE_NONE;
    size_t mark = slice_find(text, '?', 0);
    if (!named && mark > 0 && mark < text.len && definition_type(slice_sub(text, 0, mark))) {
        enum err err = find_conditional(
            w, text, fhir_bundle_place(w->r->arena, w->entry->sent.number, place), &found);
        if (err)
            return err;
    }
    if (found.len)
        json_set(reference, "reference", json_string(w->r->arena, found));
    return arena_exhausted(w->r->arena) ? ERR_LIMIT : ERR_OK;
}

/* Links that are no references (uri, url, narrative): a Patient's has no id before he is known. */
static struct slice link_target(void *context, struct slice link)
{
    const struct tx_entry *named = entry_named(context, link);
    return named && !slice_starts(named->target, SLICE(REFS_OWN)) ? named->target : SLICE_NONE;
}

static enum err rewrite_entry(struct rewrite *w, struct tx_entry *e)
{
    w->entry = e;
    if (!writes_resource(e) || !e->sent.resource)
        return ERR_OK;
    enum err err =
        classify_references(e->sent.resource, w->r->arena, rewrite_reference, w);
    return err ? err : fhir_links_rewrite(w->r->arena, e->sent.resource, link_target, w);
}

/* ── 4: looks ────────────────────────────────────────────────────────────────────────────────── */

static enum err look_entry(struct session *s, struct request *r, struct fhir_transaction *tx,
                           struct tx_entry *e)
{
    struct fhir_input *in = input_of(e);
    if (e->rank == RANK_GET)
        return ERR_OK; /* sees what the others wrote */
    in->write.scope = &tx->scope;
    enum err err = e->child->use->look ? e->child->use->look(s, e->child) : ERR_OK;
    return err ? fail(r, e, err) : ERR_OK;
}

static enum err prepare(struct session *s, struct request *r, struct fhir_transaction *tx)
{
    struct rewrite rewrite = {.s = s, .r = r, .tx = tx};
    enum err err = ERR_OK;
    for (size_t i = 0; i < tx->count && !err; i++)
        err = open_entry(r, &tx->entries[i]);
    for (size_t i = 0; i < tx->count && !err; i++)
        err = judge(s, r, &tx->entries[i]);
    for (size_t i = 0; i < tx->count && !err; i++)
        err = name_entry(s, r, &tx->entries[i]);
    if (!err)
        err = check_twice(r, tx);
    for (size_t i = 0; i < tx->count && !err; i++)
        err = rewrite_entry(&rewrite, &tx->entries[i]);
    for (size_t i = 0; i < tx->count && !err; i++) {
        struct fhir_input *in = input_of(&tx->entries[i]);
        tx->scope.writes[i] = writes_resource(&tx->entries[i]) ? &in->write : NULL;
    }
    for (size_t i = 0; i < tx->count && !err; i++)
        err = look_entry(s, r, tx, &tx->entries[i]);
    return err;
}

enum err fhir_transaction_look(struct session *s, struct request *r, struct json *bundle)
{
    struct fhir_input *in = r->input;
    struct fhir_transaction *tx = ARENA_NEW(r->arena, struct fhir_transaction);
    struct fhir_entry *sent = NULL;
    enum err err;
    if (!tx)
        return ERR_LIMIT;
    err = fhir_bundle_entries(r, bundle, &sent, &tx->count);
    if (err)
        return err;
    size_t room = tx->count ? tx->count : 1;
    tx->entries = arena_array(r->arena, room, sizeof(*tx->entries));
    tx->answers = arena_array(r->arena, room, sizeof(*tx->answers));
    tx->scope.writes = arena_array(r->arena, room, sizeof(*tx->scope.writes));
    tx->scope.count = tx->count;
    if (!tx->entries || !tx->answers || !tx->scope.writes)
        return ERR_LIMIT;
    for (size_t i = 0; i < tx->count; i++)
        tx->entries[i] = (struct tx_entry){.sent = sent[i]};
    in->transaction = tx;
    return prepare(s, r, tx);
}

/* ── apply ───────────────────────────────────────────────────────────────────────────────────── */

/* Do all criteria still match what they matched when everything was prepared? */
static enum err still_true(struct session *s, struct request *r, struct fhir_transaction *tx,
                           bool *ret_true)
{
    enum err err = ERR_OK;
    *ret_true = true;
    for (size_t i = 0; i < tx->count && !err; i++) {
        struct fhir_input *in = input_of(&tx->entries[i]);
        struct fhir_condition now = {.criteria = in->condition.criteria};
        if (!tx->entries[i].conditional)
            continue;
        err = fhir_conditional_find(s, tx->entries[i].child, in->type, &now);
        *ret_true = *ret_true && !err && now.count == in->condition.count &&
                    (now.count != 1 || now.match.rid == in->condition.match.rid);
        in->condition.match = now.match; /* its version may have grown */
    }
    for (const struct tx_reference *ref = tx->references; ref && !err; ref = ref->next) {
        struct slice found = SLICE_NONE;
        err = fhir_conditional_reference(s, r, ref->criteria, "", &found);
        *ret_true = *ret_true && !err && slice_eq(found, ref->found);
    }
    return err;
}

/* From the bytes again: what was prepared has been rewritten for another state. */
static enum err prepare_again(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    enum err err = fhir_form_parse(r);
    return err ? err : fhir_transaction_look(s, r, in->resource);
}

static enum err identify_patients(struct session *s, struct request *r, struct fhir_transaction *tx)
{
    for (size_t i = 0; i < tx->count; i++) {
        struct tx_entry *e = &tx->entries[i];
        struct fhir_input *in = input_of(e);
        if (!writes_resource(e) || !slice_is(in->type, "Patient") || !in->write.resource)
            continue;
        if (e->conditional && in->condition.count == 1) {
            in->write.person = in->condition.match.person;
            if (e->rank == RANK_POST)
                continue; /* it stays as it is */
            in->write.id = refs_id(e->child, &in->condition.match);
        } else if (e->conditional && in->id.len) {
            in->write.id = in->id;
        }
        enum err err = write_identify(s, e->child, &in->write);
        if (err)
            return fail(r, e, err);
    }
    return ERR_OK;
}

/* One audit row for each person the transaction wrote about, and one for each thing it read. */
static enum err audit_entry(struct request *r, const struct tx_entry *e)
{
    const struct request *child = e->child;
    enum err err = ERR_OK;
    if (e->rank != RANK_GET) {
        struct request_audit *a = r->audits;
        while (a && (a->row.person != child->person || strcmp(a->row.entity, "Bundle") != 0))
            a = a->next;
        if (a)
            a->row.count += child->count;
        return a ? ERR_OK : request_audit(r, child->person, "Bundle", child->count);
    }
    if (!child->audits || !child->audit_default_off)
        err = request_audit(r, child->person, child->use->anyone ? "metadata" : child->entity,
                            child->count);
    for (const struct request_audit *a = child->audits; a && !err; a = a->next)
        err = request_audit(r, a->row.person, a->row.entity, a->row.count);
    return err;
}

static enum err run_entry(struct session *s, struct request *r, struct fhir_transaction *tx,
                          struct tx_entry *e)
{
    struct request *child = e->child;
    const struct use *use = child->use;
    enum err err = ERR_OK;
    buf_clear(&child->answer_buf);
    child->job.err = ERR_OK;
    child->status = 0;
    child->count = 0;
    child->audits = NULL; /* of a former attempt */
    session_bind(s, &child->grant);
    if (e->rank == RANK_GET && use->look)
        err = use->look(s, child);
    if (!err && use->apply)
        err = use->apply(s, child);
    if (!err) {
        fhir_form_settle(child);
        err = child->job.err;
    }
    if (!err && fhir_form_needed(child))
        err = fhir_form_make(child);
    if (err)
        return fail(r, e, err);
    tx->answers[e->sent.number] = (struct fhir_entry_answer){
        .status = child->status ? child->status : 200,
        .location = child->location,
        .version = child->answer_version,
        .updated_ms = child->answer_updated_ms,
        .body = slice_is(child->method, "HEAD")
                    ? SLICE_NONE
                    : arena_dup(r->arena, buf_slice(&child->answer_buf)),
    };
    return audit_entry(r, e);
}

static void close_children(struct fhir_transaction *tx)
{
    for (size_t i = 0; i < tx->count; i++)
        if (tx->entries[i].child)
            buf_fini(&tx->entries[i].child->answer_buf);
}

enum err fhir_transaction_apply(struct session *s, struct request *r)
{
    struct fhir_input *in = r->input;
    struct fhir_transaction *tx = in->transaction;
    bool same = true;
    enum err err = still_true(s, r, tx, &same);
    if (err == ERR_PRECONDITION || (!err && !same)) {
        close_children(tx);
        err = prepare_again(s, r);
        tx = in->transaction;
    }
    r->audits = NULL;
    r->audit_default_off = tx->count > 0;
    if (!err)
        err = identify_patients(s, r, tx);
    for (unsigned rank = 0; rank < RANK_COUNT && !err; rank++)
        for (size_t i = 0; i < tx->count && !err; i++)
            if (tx->entries[i].rank == (enum rank)rank)
                err = run_entry(s, r, tx, &tx->entries[i]);
    if (!err)
        err = fhir_bundle_print(r, "transaction-response", tx->answers, tx->count);
    close_children(tx);
    return err;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The HL7 v2 door. A frame is a message, a query or a batch of messages; each message is one request of the pipeline. AA was made
 * in the transaction that stored the message and is durable before it is sent; AE and AR are made here from the refusal. In
 * enhanced mode (MSH-15, MSH-16; HL7 v2.5 section 2.9.3) the accept acknowledgement says that the message is kept, filed or in
 * quarantine, and the application acknowledgement follows as a message of its own. Nothing else is decided here.
 */
#include "exchange/door/mllp.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "exchange/door/v2_query.h"
#include "exchange/pipeline.h"
#include "exchange/use/intake.h"
#include "mappers/hl7v2/ack.h"
#include "mappers/hl7v2/batch.h"

#include "base/banned.h"

/* A frame in hand. */
struct work {
    const struct door_mllp *door;
    struct mllp_call *call;
    /* of a batch */
    struct arena *arena; /* NULL: a single message */
    struct hl7_batch batch;
    size_t next;    /* message to begin */
    size_t answers; /* in acks */
    struct buf acks;
};

static void begin_message(struct work *w, struct slice bytes, bool faulty);

static int64_t now_of(const struct work *w)
{
    const struct clock *clock = w->door->exchange->clock;
    return clock->now_ms(clock);
}

static void work_free(struct work *w)
{
    buf_fini(&w->acks);
    arena_free(w->arena);
    free(w);
}

/* ── keys: whom a frame is about ─────────────────────────────────────────────────────────────── */

void door_mllp_keys(struct slice frame, struct mllp_keys *ret_keys)
{
    struct slice numbers[MLLP_KEYS_MAX];
    unsigned count = hl7_patient_numbers(frame, numbers, MLLP_KEYS_MAX);
    for (unsigned i = 0; i < count; i++) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: a collision only makes one wait */
        for (size_t k = 0; k < numbers[i].len; k++)
            hash = (hash ^ (unsigned char)numbers[i].ptr[k]) * UINT64_C(0x100000001b3);
        ret_keys->keys[i] = hash;
    }
    ret_keys->count = count;
}

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

static const struct hl7_header *header_of(const struct request *r)
{
    const struct intake *in = r->input;
    const struct v2_query *query = r->input;
    return r->use == &v2_query_pdq || r->use == &v2_query_pix ? &query->header : &in->header;
}

/* Prints an acknowledgement of CODE into OUT. PREFIX tells it from another about the same request. */
static void print_ack(struct request *r, const char *code, bool with_errors, const char *prefix,
                      struct buf *out)
{
    const char *id = arena_printf(r->arena, "%s%.19s", prefix, r->id);
    enum err err = hl7_ack(header_of(r), code, with_errors ? &r->errors : NULL, slice_str(id),
                           r->exchange->clock->now_ms(r->exchange->clock), out);
    if (err)
        log_error("mllp.ack", "id=%s err=%s", r->id, err_name(err));
}

/* The application's own answer: kept with the message, made by the query, or the refusal. */
static void print_answer(struct request *r, struct buf *out)
{
    const struct intake *in = r->input;
    const struct v2_query *query = r->input;
    if (!r->job.err && r->use == &intake_use)
        buf_add(out, in->ack);
    else if (!r->job.err)
        buf_add(out, query->answer);
    else
        print_ack(r, err_ack(r->job.err), true, "", out);
}

/* Table 0155: is an acknowledgement asked for, of something that went well or not? */
static bool is_wanted(struct slice mode, bool well)
{
    return slice_is(mode, "AL") || slice_is(mode, well ? "SU" : "ER");
}

/* What table 0155 does not have asks for nothing: an unreadable header must not silence the answer. */
static bool is_mode(struct slice mode)
{
    return slice_is(mode, "AL") || slice_is(mode, "NE") || slice_is(mode, "ER") ||
           slice_is(mode, "SU");
}

/* CA: it is kept; AE is an answer of the application about what is kept (in quarantine). CR: it cannot be taken as it is. CE: not
 * now. */
static const char *accept_code(const struct request *r)
{
    if (!r->job.err || (slice_is(slice_str(err_ack(r->job.err)), "AE") && err_http(r->job.err) < 500))
        return "CA";
    return err_http(r->job.err) >= 500 ? "CE" : "CR";
}

/* The messages that answer R, as the sender's MSH-15 and MSH-16 ask: at most an accept acknowledgement in *accept and the
 * application's in *application. */
static void print_answers(struct request *r, struct buf *accept, struct buf *application)
{
    const struct hl7_header *h = header_of(r);
    bool enhanced = is_mode(h->accept_ack) || is_mode(h->application_ack);
    const char *code = accept_code(r);
    bool kept = code[1] == 'A';
    if (enhanced && is_wanted(h->accept_ack, kept))
        print_ack(r, code, !kept, "A", accept);
    bool ended = !kept && accept->len > 0; /* refused once is enough */
    if (!enhanced || (!ended && is_wanted(h->application_ack, r->job.err == ERR_OK)) ||
        (r->use != &intake_use && !r->job.err)) /* a query asks for its answer */
        print_answer(r, application);
}

static void answer_single(struct work *w, struct request *r)
{
    struct buf accept, application;
    buf_init(&accept, LIMIT_MLLP_FRAME);
    buf_init(&application, LIMIT_MLLP_FRAME);
    print_answers(r, &accept, &application);
    bool failed = buf_err(&accept) || buf_err(&application);
    mllp_say(w->call, buf_slice(&accept));
    mllp_answer(w->call, buf_slice(&application), failed);
    buf_fini(&accept);
    buf_fini(&application);
    work_free(w);
}

/* ── batches ─────────────────────────────────────────────────────────────────────────────────── */

static void end_batch(struct work *w)
{
    struct buf out;
    const struct hl7_batch *b = &w->batch;
    bool differs = b->announced >= 0 && (size_t)b->announced != b->count;
    const char *comment = differs ? arena_printf(w->arena, "%lld announced, %zu read",
                                                 (long long)b->announced, b->count)
                                  : "";
    const char *id = arena_printf(w->arena, "B%lld", (long long)now_of(w));
    buf_init(&out, LIMIT_MLLP_FRAME);
    hl7_batch_head(b, comment ? comment : "", slice_str(id), now_of(w), &out);
    buf_add(&out, buf_slice(&w->acks));
    hl7_batch_tail(b, w->answers, &out);
    bool failed = buf_err(&out) || buf_err(&w->acks);
    mllp_answer(w->call, failed ? SLICE_NONE : buf_slice(&out), failed);
    buf_fini(&out);
    work_free(w);
}

static void next_of_batch(struct work *w)
{
    if (w->next == w->batch.count) {
        end_batch(w);
        return;
    }
    struct slice message = w->batch.messages[w->next++];
    begin_message(w, message, false);
}

/* In a batch there are application acknowledgements only. */
static void answer_in_batch(struct work *w, struct request *r)
{
    struct buf accept;
    size_t before = w->acks.len;
    buf_init(&accept, LIMIT_MLLP_FRAME);
    print_answers(r, &accept, &w->acks);
    w->answers += w->acks.len > before;
    buf_fini(&accept);
    next_of_batch(w);
}

/* A batch that cannot be taken apart is refused as a whole, in the form of a batch. */
static void refuse_batch(struct work *w, const struct err_list *errors)
{
    struct buf out;
    const char *place = errors->first ? errors->first->place : "";
    const char *text = errors->first ? errors->first->en : err_en(ERR_MALFORMED);
    const char *comment = arena_printf(w->arena, "refused: %s: %s", place, text);
    buf_init(&out, LIMIT_MLLP_FRAME);
    hl7_batch_head(&w->batch, comment ? comment : "", SLICE("B0"), now_of(w), &out);
    hl7_batch_tail(&w->batch, 0, &out);
    log_warn("mllp.batch", "refused place=%s", place);
    mllp_answer(w->call, buf_slice(&out), false);
    buf_fini(&out);
    work_free(w);
}

static void begin_batch(struct work *w, struct slice frame)
{
    struct err_list errors;
    w->arena = arena_new(LIMIT_ARENA_REQUEST);
    if (!w->arena) {
        mllp_answer(w->call, SLICE_NONE, true);
        work_free(w);
        return;
    }
    err_list_init(&errors, w->arena);
    enum err err = hl7_batch_split(w->arena, frame, &errors, &w->batch);
    if (err)
        refuse_batch(w, &errors);
    else
        next_of_batch(w);
}

/* ── requests ────────────────────────────────────────────────────────────────────────────────── */

static void door_mllp_answer(struct request *r)
{
    struct work *w = r->door_data;
    if (r->job.err && !r->errors.errors) {
        enum err added = err_add(&r->errors, r->job.err, "MSH[1]", NULL);
        (void)added;
    }
    if (w->arena)
        answer_in_batch(w, r);
    else
        answer_single(w, r);
    request_free(r);
}

static struct request *new_request(const struct work *w)
{
    const struct net_peer *peer = mllp_call_peer(w->call);
    struct request *r = request_new(w->door->exchange, REQUEST_MLLP);
    if (!r)
        return NULL;
    r->answer = door_mllp_answer;
    r->has_cert = peer->has_cert;
    memcpy(r->fingerprint, peer->fingerprint, sizeof(r->fingerprint));
    r->peer = slice_str(peer->address);
    if (w->door->facility_key)
        r->facility_key = slice_str(w->door->facility_key);
    return r;
}

/* What the message asks for. A refusal before it is looked at needs its header too. */
static bool choose_use(struct request *r, bool faulty)
{
    struct hl7_header header;
    hl7_peek(r->arena, r->body, &header);
    if (!faulty && (hl7_is_query(&header) || hl7_is_query_end(&header))) {
        struct v2_query *query = ARENA_NEW(r->arena, struct v2_query);
        r->use = slice_is(header.trigger, "Q23") ? &v2_query_pix : &v2_query_pdq;
        r->input = query;
        if (query)
            query->header = header;
        return query != NULL;
    }
    struct intake *in = ARENA_NEW(r->arena, struct intake);
    r->use = &intake_use;
    r->input = in;
    if (in)
        in->header = header;
    return in != NULL;
}

static void begin_message(struct work *w, struct slice bytes, bool faulty)
{
    struct request *r = new_request(w);
    if (r)
        r->body = bytes;
    if (!r || !choose_use(r, faulty)) {
        request_free(r);
        mllp_answer(w->call, SLICE_NONE, true);
        work_free(w);
        return;
    }
    r->door_data = w;
    if (faulty) {
        enum err added = err_add(&r->errors, mllp_call_fault(w->call), "MSH[1]", "16 MiB");
        (void)added;
    }
    pipeline_start(r);
}

/* Is FRAME an acknowledgement of what was sent here? It must not be acknowledged in turn. */
static bool is_acknowledgement(struct slice frame)
{
    if (slice_search(frame, SLICE("MSA"), 0) == frame.len)
        return false;
    struct arena *arena = arena_new(LIMIT_MIB);
    struct hl7_header header = {.type = SLICE_NONE};
    if (arena)
        hl7_peek(arena, slice_sub(frame, 0, LIMIT_HL7_HEADER), &header);
    bool is = slice_is(header.type, "ACK");
    arena_free(arena);
    return is;
}

void door_mllp_handle(struct mllp_call *call, void *context)
{
    struct work *w = calloc(1, sizeof(*w));
    struct slice frame = mllp_call_frame(call);
    bool faulty = mllp_call_fault(call) != ERR_OK;
    if (!w || (!faulty && is_acknowledgement(frame))) {
        free(w);
        mllp_answer(call, SLICE_NONE, w == NULL);
        return;
    }
    w->door = context;
    w->call = call;
    buf_init(&w->acks, LIMIT_MLLP_FRAME);
    if (!faulty && hl7_is_batch(frame))
        begin_batch(w, frame);
    else
        begin_message(w, frame, faulty);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The HL7 v2 door. AA was made in the transaction that stored the message and is durable before it
 * is sent; AE and AR are made here from the refusal. Nothing else is decided here.
 */
#include "exchange/door/mllp.h"

#include "base/limits.h"
#include "base/log.h"
#include "exchange/pipeline.h"
#include "exchange/use/intake.h"
#include "mappers/hl7v2/ack.h"

#include "base/banned.h"

static void answer_refusal(struct request *r, struct mllp_call *call)
{
    const struct intake *in = r->input;
    struct buf ack;
    buf_init(&ack, LIMIT_MLLP_FRAME);
    if (!r->errors.errors) {
        enum err added = err_add(&r->errors, r->job.err, "MSH[1]", NULL);
        (void)added;
    }
    enum err err = hl7_ack(&in->header, err_ack(r->job.err), &r->errors,
                           slice_str(arena_printf(r->arena, "%.20s", r->id)),
                           r->exchange->clock->now_ms(r->exchange->clock), &ack);
    if (err)
        log_error("mllp.ack", "id=%s err=%s", r->id, err_name(err));
    mllp_answer(call, buf_slice(&ack), err != ERR_OK);
    buf_fini(&ack);
}

static void door_mllp_answer(struct request *r)
{
    const struct intake *in = r->input;
    struct mllp_call *call = r->door_data;
    if (r->job.err)
        answer_refusal(r, call);
    else
        mllp_answer(call, in->ack, false);
    request_free(r);
}

void door_mllp_handle(struct mllp_call *call, void *context)
{
    const struct door_mllp *door = context;
    const struct net_peer *peer = mllp_call_peer(call);
    struct request *r = request_new(door->exchange, REQUEST_MLLP);
    struct intake *in = r ? ARENA_NEW(r->arena, struct intake) : NULL;
    if (!in) {
        request_free(r);
        mllp_answer(call, SLICE_NONE, true);
        return;
    }
    r->use = &intake_use;
    r->input = in;
    r->door_data = call;
    r->answer = door_mllp_answer;
    r->has_cert = peer->has_cert;
    memcpy(r->fingerprint, peer->fingerprint, sizeof(r->fingerprint));
    r->peer = slice_str(peer->address);
    if (door->facility_key)
        r->facility_key = slice_str(door->facility_key);
    r->body = mllp_call_frame(call);
    hl7_peek(r->arena, r->body,
             &in->header); /* a refusal before the message is looked at needs an answer too */
    if (mllp_call_fault(call)) {
        enum err added = err_add(&r->errors, mllp_call_fault(call), "MSH[1]", "16 MiB");
        (void)added;
    }
    pipeline_start(r);
}

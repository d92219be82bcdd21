/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's door (see ops.h): a table of paths, each printing from figures that are at hand;
 * nothing here waits.
 */
#include "exchange/door/ops.h"

#include <stdio.h>
#include <unistd.h>

#include "exchange/push/push.h"
#include "exchange/version.h"

#include "base/banned.h"

#define TEXT "text/plain; charset=utf-8"

static int print_live(const struct door_ops *door, struct buf *out)
{
    (void)door;
    buf_adds(out, "ok\n");
    return 200;
}

static int print_ready(const struct door_ops *door, struct buf *out)
{
    struct store_figures f;
    store_figures(door->exchange->store, &f);
    if (f.stopped || door->stopping) {
        buf_adds(out, f.stopped ? "store stopped after a storage failure / 保存領域の障害で停止中\n"
                                : "stopping / 停止処理中\n");
        return 503;
    }
    buf_adds(out, "ok\n");
    return 200;
}

static int print_version(const struct door_ops *door, struct buf *out)
{
    (void)door;
    buf_adds(out, "tasuki " TASUKI_VERSION "\n");
    return 200;
}

/* Resident memory in bytes, from /proc/self/statm (Linux); 0 where there is none. */
static uint64_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    int n = fscanf(file, "%lu %lu", &total, &resident);
    fclose(file);
    return n == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void metric(struct buf *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
             (unsigned long long)value);
}

/* Both MLLP listeners together. */
static void sum_mllp(const struct door_ops *door, struct mllp_figures *ret_sum)
{
    *ret_sum = (struct mllp_figures){0};
    for (unsigned i = 0; i < OPS_MLLP; i++) {
        struct mllp_figures one = {0};
        if (door->mllp[i])
            mllp_figures(door->mllp[i], &one);
        ret_sum->frames += one.frames;
        ret_sum->framing_errors += one.framing_errors;
        ret_sum->connections += one.connections;
        ret_sum->running += one.running;
        for (unsigned k = 0; k < MLLP_FAULT_COUNT; k++)
            ret_sum->faults[k] += one.faults[k];
    }
}

static void print_mllp(const struct door_ops *door, struct buf *out)
{
    struct mllp_figures sum;
    sum_mllp(door, &sum);
    metric(out, "tasuki_mllp_frames_total", "counter", "HL7 v2 messages received.", sum.frames);
    metric(out, "tasuki_mllp_framing_errors_total", "counter", "MLLP framing errors.",
           sum.framing_errors);
    buf_adds(out, "# HELP tasuki_mllp_faults_total MLLP framing errors by kind.\n"
                  "# TYPE tasuki_mllp_faults_total counter\n");
    for (unsigned k = 0; k < MLLP_FAULT_COUNT; k++)
        buf_addf(out, "tasuki_mllp_faults_total{reason=\"%s\"} %llu\n",
                 mllp_fault_reason((enum mllp_fault)k), (unsigned long long)sum.faults[k]);
    metric(out, "tasuki_mllp_connections", "gauge", "MLLP connections open.", sum.connections);
    metric(out, "tasuki_mllp_running", "gauge", "HL7 v2 frames being worked on.", sum.running);
}

/* ── listeners ───────────────────────────────────────────────────────────────────────────────── */

struct listening {
    const char *name; /* NULL: closed */
    struct net_figures net;
};

static void look_at_listeners(const struct door_ops *door,
                              struct listening all[OPS_HTTP + OPS_MLLP])
{
    static const char *const http[OPS_HTTP] = OPS_HTTP_NAMES, *const mllp[OPS_MLLP] =
                                                                  OPS_MLLP_NAMES;
    for (unsigned i = 0; i < OPS_HTTP; i++) {
        struct http_figures f;
        if (!door->http[i])
            continue;
        http_figures(door->http[i], &f);
        all[i] = (struct listening){http[i], f.net};
    }
    for (unsigned i = 0; i < OPS_MLLP; i++) {
        struct mllp_figures f;
        if (!door->mllp[i])
            continue;
        mllp_figures(door->mllp[i], &f);
        all[OPS_HTTP + i] = (struct listening){mllp[i], f.net};
    }
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_listeners(const struct door_ops *door, struct buf *out)
{
    struct listening all[OPS_HTTP + OPS_MLLP] = {0};
    const unsigned count = OPS_HTTP + OPS_MLLP;
    look_at_listeners(door, all);
    metric(out, "tasuki_connections_max", "gauge", "Connections there may be, but for ops.",
           door->quota->cap);
    head(out, "tasuki_connections", "gauge", "Connections open.");
    for (unsigned i = 0; i < count; i++)
        if (all[i].name)
            buf_addf(out, "tasuki_connections{listener=\"%s\"} %u\n", all[i].name, all[i].net.open);
    head(out, "tasuki_connections_accepted_total", "counter", "Connections accepted.");
    for (unsigned i = 0; i < count; i++)
        if (all[i].name)
            buf_addf(out, "tasuki_connections_accepted_total{listener=\"%s\"} %llu\n", all[i].name,
                     (unsigned long long)all[i].net.accepted);
    head(out, "tasuki_connection_faults_total", "counter",
         "Connections refused or given up, by reason.");
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; all[i].name && k < NET_FAULT_COUNT; k++)
            buf_addf(out, "tasuki_connection_faults_total{listener=\"%s\",reason=\"%s\"} %llu\n",
                     all[i].name, net_fault_reason((enum net_fault)k),
                     (unsigned long long)all[i].net.faults[k]);
}

static void print_http(const struct door_ops *door, struct buf *out)
{
    static const char *const names[OPS_HTTP] = OPS_HTTP_NAMES;
    head(out, "tasuki_http_refusals_total", "counter",
         "HTTP requests refused before they were read, by status.");
    for (unsigned i = 0; i < OPS_HTTP; i++) {
        struct http_figures f;
        if (!door->http[i])
            continue;
        http_figures(door->http[i], &f);
        for (unsigned k = 0; k < HTTP_REFUSALS; k++)
            buf_addf(out, "tasuki_http_refusals_total{listener=\"%s\",status=\"%d\"} %llu\n",
                     names[i], http_refusal_status(k), (unsigned long long)f.refusals[k]);
    }
}

static int print_metrics(const struct door_ops *door, struct buf *out)
{
    struct store_figures f;
    store_figures(door->exchange->store, &f);
    metric(out, "tasuki_store_commits_total", "counter", "Group commits.", f.commits);
    metric(out, "tasuki_store_jobs_total", "counter", "Jobs committed.", f.jobs);
    metric(out, "tasuki_store_queue_jobs", "gauge", "Jobs waiting.", f.queued);
    metric(out, "tasuki_store_stopped", "gauge", "1 after a storage failure.", f.stopped);
    metric(out, "tasuki_audit_rows_total", "counter", "Length of the audit chain.", f.audit_seq);
    print_listeners(door, out);
    print_http(door, out);
    print_mllp(door, out);
    push_print(door->exchange->push, out);
    metric(out, "tasuki_resident_memory_bytes", "gauge", "Resident set size.", resident_bytes());
    return 200;
}

static const struct {
    const char *path;
    int (*print)(const struct door_ops *door, struct buf *out);
} pages[] = {
    {"/livez", print_live},
    {"/readyz", print_ready},
    {"/metrics", print_metrics},
    {"/version", print_version},
};

void door_ops_handle(struct http_call *call, void *context)
{
    const struct http1_request *head = http_call_request(call);
    struct http_answer answer = {.status = 404, .content_type = TEXT, .body = SLICE("not found\n")};
    struct buf out;
    buf_init(&out, 64 * 1024);
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
        if (slice_is(head->path, pages[i].path)) {
            answer.status = pages[i].print(context, &out);
            answer.body = buf_slice(&out);
        }
    http_call_answer(call, &answer);
    buf_fini(&out);
}

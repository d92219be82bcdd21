/* SPDX-License-Identifier: Apache-2.0
 *
 * FHIR over mutual TLS on a population: search by patient, code and date; $everything; a
 * transaction of a Patient and one Observation; and the load of the population itself, which needs
 * no network. What a floor is beside each is said in docs/benchmarks.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "exchange/bench/bench.h"
#include "exchange/bench/client.h"
#include "exchange/bench/population.h"
#include "exchange/bench/responder.h"
#include "storage/floor.h"

#include "base/banned.h"

#define SAMPLE 400u

struct asking {
    char targets[SAMPLE][160];
    unsigned count;
};

enum err bench_trust(const struct bench_site *site, struct client_trust **ret_trust)
{
    char ca[512], cert[512], key[512];
    snprintf(ca, sizeof(ca), "%s/pki/ca.pem", site->dir);
    snprintf(cert, sizeof(cert), "%s/pki/" POPULATION_FACILITY ".pem", site->dir);
    snprintf(key, sizeof(key), "%s/pki/" POPULATION_FACILITY ".key", site->dir);
    return client_trust_new(ca, cert, key, ret_trust);
}

enum err bench_first_id(struct client *client, const char *target, char *ret_id, size_t size)
{
    struct client_answer answer = {0};
    struct json *bundle = NULL;
    struct json_fault fault;
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    enum err err = arena ? client_http(client, "GET", target, "", SLICE_NONE, &answer) : ERR_LIMIT;
    if (!err)
        err = json_parse(arena, answer.body, &bundle, &fault);
    struct slice id = json_str(json_path(bundle, "entry", "0", "resource", NULL), "id");
    if (!err && !id.len)
        err = ERR_NOT_FOUND;
    if (!err)
        snprintf(ret_id, size, "%.*s", SLICE_ARG(id));
    arena_free(arena);
    return err;
}

enum err bench_patient(struct client *client, unsigned n, char *ret_id, size_t size)
{
    char target[160], local_no[16];
    population_local_no(n, local_no);
    snprintf(target, sizeof(target), "/fhir/Patient?identifier=%s", local_no);
    return bench_first_id(client, target, ret_id, size);
}

unsigned bench_resident(const struct bench_site *site, unsigned i)
{
    return (unsigned)((uint64_t)i * 2654435761u % site->residents);
}

/* SAMPLE targets made of FORMAT, which takes a Patient id and a code. */
static enum err make_targets(const struct bench_site *site, const struct client_trust *trust,
                             bool search, struct asking *asking)
{
    struct client_options options = {
        .host = "127.0.0.1", .port = site->system_port, .trust = trust};
    struct client *client = NULL;
    enum err err = client_open(&options, &client);
    for (unsigned i = 0; i < SAMPLE && !err; i++) {
        unsigned n = bench_resident(site, i);
        char id[80];
        err = bench_patient(client, n, id, sizeof(id));
        if (search)
            snprintf(asking->targets[i], sizeof(asking->targets[i]),
                     "/fhir/Observation?patient=%s&code=http://loinc.org%%7C%s&date=ge2020-01-01",
                     id, population_code(n));
        else
            snprintf(asking->targets[i], sizeof(asking->targets[i]), "/fhir/Patient/%s/$everything",
                     id);
        asking->count++;
    }
    client_close(client);
    return err;
}

static enum err ask_step(struct client *client, unsigned connection, uint64_t n, void *context)
{
    const struct asking *asking = context;
    struct client_answer answer;
    const char *target = asking->targets[(n * 7 + connection * 31) % asking->count];
    enum err err = client_http(client, "GET", target, "", SLICE_NONE, &answer);
    return err ? err : answer.status == 200 ? ERR_OK : ERR_INTERNAL;
}

static size_t answer_len(const struct bench_site *site, const struct client_trust *trust,
                         const struct asking *asking)
{
    struct client_options options = {
        .host = "127.0.0.1", .port = site->system_port, .trust = trust};
    struct client *client = NULL;
    struct client_answer answer = {0};
    size_t len = 0;
    if (!client_open(&options, &client) &&
        !client_http(client, "GET", asking->targets[0], "", SLICE_NONE, &answer))
        len = answer.body.len;
    client_close(client);
    return len;
}

static void read_chart(void *context, uint64_t n)
{
    (void)floor_reader_chart(context, n);
}

/* A bare SELECT over one resident's rows, then as many fixed bytes. */
static enum err floor_asking(const struct bench_site *site, const struct bench_load *load,
                             double *ret_rate)
{
    struct responder *r = NULL;
    struct floor_reader *reader = NULL;
    struct bench_figure floor = {0};
    struct responder_options options = {.dir = site->dir,
                                        .body_len = answer_len(site, load->trust, load->context),
                                        .step = read_chart};
    enum err err = floor_reader_open(site->store, &reader);
    options.context = reader;
    if (!err)
        err = responder_start(&options, &r);
    if (err) {
        floor_reader_close(reader);
        return err;
    }
    struct bench_load same = *load;
    same.port = responder_port(r);
    err = bench_load_run(&same, &floor);
    responder_stop(r);
    floor_reader_close(reader);
    if (!err)
        *ret_rate = floor.rate;
    return err;
}

static enum err bench_asking(const struct bench_site *site, bool search,
                             struct bench_figure *figure)
{
    struct asking *asking = calloc(1, sizeof(*asking));
    struct client_trust *trust = NULL;
    enum err err = asking ? bench_trust(site, &trust) : ERR_LIMIT;
    if (!err)
        err = make_targets(site, trust, search, asking);
    struct bench_load load = {.trust = trust,
                              .port = site->system_port,
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .step = ask_step,
                              .context = asking};
    if (!err)
        err = bench_load_run(&load, figure);
    if (!err)
        err = floor_asking(site, &load, &figure->floor_rate);
    client_trust_free(trust);
    free(asking);
    return err;
}

enum err bench_search(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = "search", .unit = "searches/s"};
    enum err err = bench_asking(site, true, &figure);
    if (!err)
        *ret_figure = figure;
    return err;
}

enum err bench_everything(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = "everything"};
    snprintf(figure.unit, sizeof(figure.unit), "answers/s (%u each)", site->resources);
    enum err err = bench_asking(site, false, &figure);
    if (!err)
        *ret_figure = figure;
    return err;
}

/* ── transaction ─────────────────────────────────────────────────────────────────────────────── */

static enum err transaction_step(struct client *client, unsigned connection, uint64_t n,
                                 void *context)
{
    struct buf body;
    struct client_answer answer;
    (void)context;
    buf_init(&body, LIMIT_MIB);
    population_pair(&body, (uint64_t)connection << 32 | n);
    enum err err = client_http(client, "POST", "/fhir", "Content-Type: application/fhir+json\r\n",
                               buf_slice(&body), &answer);
    buf_fini(&body);
    return err ? err : answer.status == 200 ? ERR_OK : ERR_INTERNAL;
}

enum err bench_transaction(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {
        .name = "transaction", .unit = "Patient+Observation/s", .bar = 0.50};
    struct client_trust *trust = NULL;
    uint64_t before = bench_commits(site);
    enum err err = bench_trust(site, &trust);
    struct bench_load load = {.trust = trust,
                              .port = site->system_port,
                              .connections = site->connections,
                              .seconds = site->seconds,
                              .step = transaction_step};
    if (!err)
        err = bench_load_run(&load, &figure);
    if (!err)
        err = bench_rows_floor(site, (double)figure.count, bench_commits(site) - before,
                               &figure.floor_rate);
    client_trust_free(trust);
    if (!err)
        *ret_figure = figure;
    return err;
}

/* ── import ──────────────────────────────────────────────────────────────────────────────────── */

#define FLOOR_RESIDENTS 10000u /* beyond, the floor would not fit into memory */

static double bytes_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

enum err bench_import(const struct bench_site *site, struct bench_figure *ret_figure)
{
    struct bench_figure figure = {.name = "import", .unit = "resources/s", .bar = 0.50};
    double resources = (double)site->loaded * site->resources;
    enum err err = ERR_OK;
    figure.bytes_each = bytes_of(site->store) / ((double)site->residents * site->resources);
    if (site->loaded) {
        bench_cost_each(&site->load, (uint64_t)resources, &figure);
    }
    if (site->loaded == site->residents && site->residents <= FLOOR_RESIDENTS)
        err = bench_rows_floor(site, resources, site->load.commits, &figure.floor_rate);
    if (!err)
        *ret_figure = figure;
    return err;
}

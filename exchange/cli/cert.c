/* SPDX-License-Identifier: Apache-2.0
 *
 * cert list|issue|revoke|crl: client certificates of the installation's own authority, whose key
 * lies beside the CA certificate. Revoking marks the registry (in force at once) and the revocation
 * list; crl only signs the list anew, before it expires.
 */
#include <limits.h>
#include <stdio.h>

#include "exchange/cli/cli.h"
#include "exchange/cli/table.h"
#include "exchange/demo/pki.h"
#include "exchange/use/claim.h"
#include "storage/person.h"

#include "base/banned.h"

/* ── list ────────────────────────────────────────────────────────────────────────────────────── */

struct listing {
    struct arena *arena;
    struct registry_cert_row *rows;
    size_t count;
};

static enum err list_look(struct session *s, struct request *r)
{
    struct listing *in = r->input;

    return registry_certs(s, in->arena, &in->rows, &in->count);
}

static const struct use list_use = {
    .event = "cert-list", .actors = 1u << GRANT_OPERATOR, .look = list_look};

static void fill_list(struct table *table, const struct cli_place *place, const void *input)
{
    const struct listing *in = input;

    (void)place;
    for (size_t i = 0; i < in->count; i++) {
        table_row(table);
        table_cell(table, in->rows[i].name);
        table_cell(table, in->rows[i].serial);
        table_instant(table, in->rows[i].registered_ms);
        table_instant(table, in->rows[i].revoked_ms);
        table_cell(table, in->rows[i].fingerprint_hex);
    }
}

int cli_cert_list(const struct args *args)
{
    static const char *const columns[] = {"name",    "serial",      "registered",
                                          "revoked", "fingerprint", NULL};
    static const struct cli_listing listing = {&list_use, columns, fill_list};
    struct listing in = {0};

    return cli_list(args, &listing, &in, &in.arena);
}

/* ── issue ───────────────────────────────────────────────────────────────────────────────────── */

struct issuing {
    struct arena *arena;
    struct slice facility_key, card;
    struct slice name;
    struct facility facility; /* found */
    int64_t person;           /* or found */
    struct pki_cert cert;
};

static enum err owner_look(struct session *s, struct request *r)
{
    struct issuing *in = r->input;

    if (in->facility_key.len)
        return registry_facility_by_key(s, in->arena, in->facility_key, &in->facility);
    return person_by_card(s, claim_card(in->arena, in->card), &in->person);
}

static enum err put_apply(struct session *s, struct request *r)
{
    struct issuing *in = r->input;

    r->person = in->person;
    r->entity = in->cert.serial_hex;
    return registry_put_cert(s, in->cert.fingerprint, in->name, slice_str(in->cert.serial_hex),
                             in->facility.id, in->person);
}

static const struct use owner_use = {
    .event = "cert-owner", .actors = 1u << GRANT_OPERATOR, .look = owner_look};
static const struct use put_use = {
    .event = "cert-issue", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = put_apply};

/* The folder of the authority: where ca.pem is. */
static bool pki_folder(const struct conf *conf, char ret_dir[PATH_MAX])
{
    const char *slash = strrchr(conf->ca, '/');
    int n = snprintf(ret_dir, PATH_MAX, "%.*s", slash ? (int)(slash - conf->ca) : 1,
                     slash ? conf->ca : ".");

    return n > 0 && n < PATH_MAX;
}

static void say_not_ours(const struct args *args, enum err err)
{
    if (err == ERR_NOT_FOUND)
        cli_say(args, "there is no ca.key beside ca.pem: this authority is not ours",
                "ca.pem の隣に ca.key がありません。この認証局は tasuki のものではありません");
}

static int make_cert(struct cli_place *place, struct issuing *in)
{
    struct pki_subject subject = {.name = arena_str(place->arena, in->name),
                                  .organization = arena_str(place->arena, in->facility.name),
                                  .unit = in->person ? "clinic card" : NULL};
    char dir[PATH_MAX];
    enum err err = ERR_TOO_LARGE;

    if (pki_folder(&place->conf, dir))
        err = pki_issue(dir, PKI_CLIENT, &subject, &in->cert);
    say_not_ours(place->args, err);
    if (err)
        return cli_fail(place->args, err, "cert issue");
    (void)printf("%s/%s.pem\n%s/%s.key\n", dir, subject.name, dir, subject.name);
    return CLI_OK;
}

int cli_cert_issue(const struct args *args)
{
    struct cli_place place;
    struct issuing in = {.name = slice_str(args->operands[0]),
                         .facility_key = slice_str(args_value(args, "facility")),
                         .card = slice_str(args_value(args, "card"))};
    int code = CLI_OK;

    if (!in.facility_key.len == !in.card.len)
        return cli_usage(args, "give --facility KEY or --card NUMBER",
                         "--facility KEY か --card NUMBER のどちらかを指定してください");
    code = cli_open(args, &place);
    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &owner_use, SLICE_NONE, &in);
    if (!code)
        code = make_cert(&place, &in);
    if (!code)
        code = cli_use(&place, &put_use, SLICE_NONE, &in);
    cli_close(&place);
    return code;
}

/* ── revoke ──────────────────────────────────────────────────────────────────────────────────── */

struct revoking {
    struct arena *arena;
    struct slice name;
    struct slice serial;
};

static enum err revoke_apply(struct session *s, struct request *r)
{
    struct revoking *in = r->input;
    enum err err = registry_revoke_cert(s, in->arena, in->name, &in->serial);

    if (!err)
        r->entity = arena_str(r->arena, in->serial);
    return err;
}

static const struct use revoke_use = {
    .event = "cert-revoke", .actors = 1u << GRANT_OPERATOR, .writes = true, .apply = revoke_apply};

int cli_cert_revoke(const struct args *args)
{
    struct cli_place place;
    struct revoking in = {.name = slice_str(args->operands[0])};
    char dir[PATH_MAX];
    const char *serial = NULL;
    enum err err = ERR_OK;
    int code = cli_open(args, &place);

    in.arena = place.arena;
    if (!code)
        code = cli_use(&place, &revoke_use, SLICE_NONE, &in);
    if (!code) {
        serial = arena_str(place.arena, in.serial);
        err = serial && pki_folder(&place.conf, dir) ? pki_revoke(dir, &serial, 1) : ERR_LIMIT;
        (void)printf("%s\n", serial ? serial : "");
    }
    if (err) {
        cli_say(args, "the certificate is revoked, but the revocation list could not be signed",
                "証明書は失効しましたが、失効リストに署名できませんでした");
        code = cli_fail(args, err, place.conf.crl);
    }
    cli_close(&place);
    return code;
}

/* ── revocation list ─────────────────────────────────────────────────────────────────────────── */

/* Signing is the use itself, so that the row says whether it succeeded. */
static enum err crl_look(struct session *s, struct request *r)
{
    (void)s;
    return pki_revoke(r->input, NULL, 0);
}

static const struct use crl_use = {
    .event = "cert-crl", .actors = 1u << GRANT_OPERATOR, .look = crl_look};

int cli_cert_crl(const struct args *args)
{
    struct cli_place place;
    char dir[PATH_MAX];
    int days = 0;
    int code = cli_open(args, &place);

    if (!code && !pki_folder(&place.conf, dir))
        code = cli_fail(args, ERR_TOO_LARGE, "ca");
    if (!code)
        code = cli_use(&place, &crl_use, SLICE_NONE, dir);
    if (code == CLI_NOT_FOUND)
        say_not_ours(args, ERR_NOT_FOUND);
    if (!code && pki_crl_days(dir, &days) == ERR_OK)
        (void)printf(args->ja ? "%s/crl.pem: 残り %d 日\n" : "%s/crl.pem: %d days\n", dir, days);
    cli_close(&place);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: what all verbs share. Data goes to stdout, messages to stderr; exit codes are
 * those of the contract. Administrative verbs open the store beside a running server and pass
 * through the same pipeline as every request, as the operator, so that they are permitted and
 * audited like the rest.
 */
#ifndef EXCHANGE_CLI_CLI_H
#define EXCHANGE_CLI_CLI_H

#include "exchange/cli/args.h"
#include "exchange/cli/exit.h"
#include "exchange/pipeline.h"

/* The whole program: arguments to a verb to an exit code. */
int cli_main(int argc, char **argv);

/* The verbs and what they take; ends with a NULL name. */
extern const struct args_verb cli_verbs[];

/* Exit code for an error. */
int cli_exit(enum err err);
/* The text in the caller's language. */
const char *cli_pick(const struct args *args, const char *en, const char *ja);
/* One line on stderr: "tasuki: ..." in the caller's language. */
void cli_say(const struct args *args, const char *en, const char *ja);
/* The same for an error about WHAT. Returns the exit code. */
int cli_fail(const struct args *args, enum err err, const char *what);
/* Everything in ERRORS, one line each, on stderr. */
void cli_findings(const struct args *args, const struct err_list *errors);
/* A usage error: TEXT on stderr, exit code 2. */
int cli_usage(const struct args *args, const char *en, const char *ja);

/* Configuration and store of --config FILE or --dir DIR. */
struct cli_place {
    const struct args *args;
    struct arena *arena;
    struct err_list errors;
    struct conf conf;
    struct exchange exchange;
    bool open;
    struct slice operator_key; /* key of the operator's facility */
};

/* Reads the configuration only. Returns 0, or an exit code after saying why. cli_close also then.
 */
int cli_configure(const struct args *args, struct cli_place *ret_place);
/* And opens the store. */
int cli_open(const struct args *args, struct cli_place *ret_place);
void cli_close(struct cli_place *place);

/* Runs USE with INPUT as the operator (as FACILITY_KEY unless empty) and frees the request; says
 * what went wrong. Results belong into INPUT, in place->arena. Returns an exit code. */
int cli_use(struct cli_place *place, const struct use *use, struct slice facility_key, void *input);
/* The same with BODY as the request's bytes. */
int cli_use_body(struct cli_place *place, const struct use *use, struct slice facility_key,
                 void *input, struct slice body);

/* What a verb that lists asks and shows. */
struct table;
struct cli_listing {
    const struct use *use;
    const char *const *columns; /* ends with NULL */
    void (*fill)(struct table *table, const struct cli_place *place, const void *input);
};
/* Opens, asks with INPUT (whose ARENA is set before), prints what FILL makes of it; an exit code. */
int cli_list(const struct args *args, const struct cli_listing *listing, void *input,
             struct arena **ret_arena);

/* One verb each. */
int cli_version(const struct args *args);
int cli_help(const struct args *args);
int cli_completion(const struct args *args);
int cli_check_config(const struct args *args);
int cli_init(const struct args *args);
int cli_demo(const struct args *args);
int cli_serve(const struct args *args);
int cli_bench(const struct args *args);
int cli_facility_list(const struct args *args);
int cli_facility_add(const struct args *args);
int cli_facility_disable(const struct args *args);
int cli_facility_enable(const struct args *args);
int cli_staff_add(const struct args *args);
int cli_staff_list(const struct args *args);
int cli_staff_remove(const struct args *args);
int cli_cert_list(const struct args *args);
int cli_cert_issue(const struct args *args);
int cli_cert_revoke(const struct args *args);
int cli_cert_crl(const struct args *args);
int cli_card_issue(const struct args *args);
int cli_card_revoke(const struct args *args);
int cli_card_lookup(const struct args *args);
int cli_patient_show(const struct args *args);
int cli_patient_link(const struct args *args);
int cli_patient_unlink(const struct args *args);
int cli_patient_undo(const struct args *args);
int cli_patient_queue(const struct args *args);
int cli_patient_dismiss(const struct args *args);
int cli_consent_show(const struct args *args);
int cli_consent_explain(const struct args *args);
int cli_consent_set(const struct args *args);
int cli_audit_verify(const struct args *args);
int cli_audit_search(const struct args *args);
int cli_audit_touched(const struct args *args);
int cli_audit_export(const struct args *args);
int cli_backup(const struct args *args);
int cli_restore(const struct args *args);
int cli_migrate_status(const struct args *args);
int cli_migrate_up(const struct args *args);
int cli_reindex(const struct args *args);
int cli_intake_rejected(const struct args *args);
int cli_intake_unmapped(const struct args *args);
int cli_intake_show(const struct args *args);
int cli_intake_replay(const struct args *args);
int cli_intake_dismiss(const struct args *args);
int cli_definitions_load(const struct args *args);
int cli_definitions_list(const struct args *args);
int cli_intake_original(const struct args *args);
int cli_index_ssmix2(const struct args *args);
int cli_export_ssmix2(const struct args *args);
int cli_export_patient(const struct args *args);
int cli_import_ssmix2(const struct args *args);
int cli_import_fhir(const struct args *args);
int cli_validate_hl7(const struct args *args);
int cli_validate_ssmix2(const struct args *args);
int cli_validate_fhir(const struct args *args);
int cli_map(const struct args *args);
int cli_feed_list(const struct args *args);
int cli_feed_show(const struct args *args);
int cli_feed_retry(const struct args *args);
int cli_feed_drop(const struct args *args);
int cli_subscription_list(const struct args *args);
int cli_subscription_retry(const struct args *args);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The administrative verbs from main's arguments to exit code and output, on a small region in a
 * temporary folder. Each case opens the store anew as a command does. The cases build on each other
 * in the order of the table at the end; what the last ones prove is that all of it was audited.
 */
#include "lib/t.h"

#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/when.h"
#include "exchange/cli/cli.h"
#include "exchange/demo/region.h"
#include "exchange/server.h"
#include "mappers/charset.h"
#include "storage/audit.h"
#include "storage/lock.h"
#include "storage/person.h"

#include "base/banned.h"

#define PATIENTS 6u
#define CODE_NEW "2210009995" /* a facility that is not there yet */

static char dir[64];
static struct region *region;
static char *output; /* of the last command; freed by the next */
static size_t output_len;
static char *said; /* its messages */
static size_t said_len;

/* ── running a command ───────────────────────────────────────────────────────────────────────── */

struct diversion {
    FILE *file;
    int fd, kept;
};

static void divert(struct diversion *d, FILE *stream)
{
    d->fd = fileno(stream);
    assert_int_equal(fflush(stream), 0);
    d->file = tmpfile();
    assert_non_null(d->file);
    d->kept = dup(d->fd);
    assert_true(d->kept >= 0 && dup2(fileno(d->file), d->fd) >= 0);
}

static void restore(struct diversion *d, FILE *stream, char **ret_text, size_t *ret_len)
{
    long size = 0;

    assert_int_equal(fflush(stream), 0);
    assert_true(dup2(d->kept, d->fd) >= 0);
    assert_int_equal(close(d->kept), 0);
    assert_int_equal(fseek(d->file, 0, SEEK_END), 0);
    size = ftell(d->file);
    rewind(d->file);
    free(*ret_text);
    *ret_text = calloc(1, (size_t)size + 1);
    assert_non_null(*ret_text);
    *ret_len = fread(*ret_text, 1, (size_t)size, d->file);
    assert_int_equal(*ret_len, size);
    assert_int_equal(fclose(d->file), 0);
}

/* Runs "tasuki WORDS... [--dir DIR] --lang en"; the list ends with NULL. */
static int run(int with_dir, ...)
{
    char *argv[24] = {(char *)(uintptr_t) "tasuki"};
    int argc = 1, code = 0;
    struct diversion out, err;
    va_list words;

    va_start(words, with_dir);
    for (char *word = va_arg(words, char *); word; word = va_arg(words, char *))
        argv[argc++] = word;
    va_end(words);
    if (with_dir) {
        argv[argc++] = (char *)(uintptr_t) "--dir";
        argv[argc++] = dir;
    }
    argv[argc++] = (char *)(uintptr_t) "--lang=en";
    assert_true(argc < (int)T_COUNT(argv));
    divert(&out, stdout);
    divert(&err, stderr);
    code = cli_main(argc, argv);
    restore(&err, stderr, &said, &said_len);
    restore(&out, stdout, &output, &output_len);
    return code;
}

static void expect_code(int got, int want, const char *file, int line)
{
    if (got == want)
        return;
    print_error("exit code %d, wanted %d\nstdout: %.2000s\nstderr: %.2000s\n", got, want, output,
                said);
    _fail(file, line);
}

static void expect_text(const char *text, const char *wanted, bool there, const char *file,
                        int line)
{
    if ((strstr(text, wanted) != NULL) == there)
        return;
    print_error("%s \"%s\" in:\n%.4000s\n", there ? "no" : "there is", wanted, text);
    _fail(file, line);
}

#define RUN(code, ...) expect_code(run(1, __VA_ARGS__, NULL), code, __FILE__, __LINE__)
#define RUN_BARE(code, ...) expect_code(run(0, __VA_ARGS__, NULL), code, __FILE__, __LINE__)
#define OUT(text) expect_text(output, text, true, __FILE__, __LINE__)
#define OUT_NOT(text) expect_text(output, text, false, __FILE__, __LINE__)
#define SAID(text) expect_text(said, text, true, __FILE__, __LINE__)

static const char *path_in(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    char path[512], *slash = NULL;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    for (slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The text of FIELD in the row of the last command's JSON list where KEY is VALUE. */
static const char *field_where(const char *key, const char *value, const char *field)
{
    static char text[1024];
    struct arena *arena = arena_new(16u * LIMIT_MIB);
    struct json *rows = NULL;
    struct json_fault fault;
    bool found = false;

    assert_int_equal(json_parse(arena, slice_of(output, output_len), &rows, &fault), ERR_OK);
    for (const struct json *row = rows->first; row && !found; row = row->next)
        if (slice_is(json_str(row, key), value)) {
            (void)snprintf(text, sizeof(text), "%.*s", SLICE_ARG(json_str(row, field)));
            found = true;
        }
    arena_free(arena);
    if (!found)
        fail_msg("no row with %s = %s in %.2000s", key, value, output);
    return text;
}

/* ── the region ──────────────────────────────────────────────────────────────────────────────── */

struct claims {
    struct store_job job;
    struct person_match match;
};

/* The first resident's insurer identity and nothing else that agrees: a question for a human, and a
 * chart that was opened without a number. */
static enum err ask_human(struct session *s, struct store_job *job)
{
    struct claims *c = (struct claims *)job;
    struct facility clinic, pharmacy;
    struct arena *arena = arena_new(LIMIT_MIB);
    struct person_claim claim = {.local_no = SLICE("Q-1"),
                                 .insurer = SLICE("06130012"),
                                 .symbol = SLICE("7"),
                                 .number = SLICE("700"),
                                 .branch = SLICE("01"),
                                 .name = SLICE("架空花子")};
    int64_t chart = 0;
    enum err err = registry_facility_by_key(s, arena, SLICE("clinic-c"), &clinic);

    if (!err)
        err = registry_facility_by_key(s, arena, SLICE("pharmacy-p"), &pharmacy);
    if (!err)
        err = person_identify(s, pharmacy.id, &claim, &c->match);
    if (!err)
        err = person_open_chart(s, clinic.id, c->match.person, &chart);
    claim.name = SLICE("別人次郎");
    claim.local_no = SLICE("Q-2");
    if (!err)
        err = person_identify(s, clinic.id, &claim, &c->match);
    arena_free(arena);
    return err;
}

static enum err no_audit(struct session *s, struct store_job *job)
{
    (void)s;
    (void)job;
    return ERR_OK;
}

static enum err fill(void)
{
    struct claims claims = {.job = {.apply = ask_human, .audit = no_audit}};
    struct region_tally tally;
    struct arena *arena = arena_new(LIMIT_MIB);
    struct exchange exchange;
    struct err_list errors;
    struct conf conf;
    char text[256] = "";
    enum err err = ERR_OK;

    err_list_init(&errors, arena);
    err = conf_read(arena, region->conf_path, &errors, &conf);
    if (!err)
        err = exchange_open(&exchange, &conf, NULL, NULL, text, sizeof(text));
    if (!err) {
        err = region_register(&exchange, region);
        if (!err)
            err = region_load(&exchange, region, false, &tally);
        if (!err)
            err = store_run(exchange.store, &claims.job);
        if (!err && !claims.match.queued)
            err = ERR_INTERNAL;
        exchange_close(&exchange);
    }
    arena_free(arena);
    return err;
}

static int make(void **state)
{
    struct region_options options = {
        .dir = dir, .port_base = 18000, .patients = PATIENTS, .seed = 7};
    char text[256] = "";

    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tasuki-verbs-XXXXXX");
    if (!mkdtemp(dir) || charset_init() != ERR_OK)
        return -1;
    if (region_make(&options, clock_system.now_ms(&clock_system), text, sizeof(text), &region)) {
        print_error("%s\n", text);
        return -1;
    }
    return fill() == ERR_OK ? 0 : -1;
}

static int drop(void **state)
{
    char command[128];

    (void)state;
    region_free(region);
    free(output);
    free(said);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* ── parties ─────────────────────────────────────────────────────────────────────────────────── */

static void test_facility(void **state)
{
    (void)state;
    RUN(CLI_OK, "facility", "list");
    OUT("hospital-a");
    OUT("汐見中央病院");
    RUN(CLI_OK, "facility", "add", "clinic-n", "--code", CODE_NEW, "--name", "新しい診療所",
        "--kind", "clinic");
    RUN(CLI_OK, "facility", "list", "--json");
    assert_string_equal(field_where("key", "clinic-n", "code"), CODE_NEW);
    assert_string_equal(field_where("key", "clinic-n", "kind"), "clinic");
    RUN(CLI_USAGE, "facility", "add", "clinic-n", "--code", "2210009996", "--name", "x", "--kind",
        "clinic");
    RUN(CLI_USAGE, "facility", "add", "Clinic", "--code", CODE_NEW, "--name", "x", "--kind",
        "clinic");
    RUN(CLI_USAGE, "facility", "add", "clinic-m", "--code", CODE_NEW, "--name", "x", "--kind",
        "shop");
    RUN(CLI_INVALID, "facility", "add", "clinic-m", "--code", CODE_NEW, "--name", "x", "--kind",
        "clinic"); /* another's code */
}

static void test_staff(void **state)
{
    (void)state;
    RUN(CLI_OK, "staff", "add", "--facility", "clinic-n", "--user", "n-dr-01", "--name", "新井 一",
        "--role", "doctor");
    RUN(CLI_OK, "staff", "add", "--facility", "clinic-n", "--user", "n-dr-01", "--name", "新井 一",
        "--role", "nurse");
    RUN(CLI_NOT_FOUND, "staff", "add", "--facility", "clinic-x", "--user", "a", "--name", "b",
        "--role", "doctor");
    SAID("--facility");
    RUN(CLI_USAGE, "staff", "add", "--facility", "clinic-n", "--user", "a", "--name", "b", "--role",
        "cook");
    RUN(CLI_USAGE, "staff", "add", "--facility", "clinic-n", "--user", "a b", "--name", "b",
        "--role", "doctor");
    RUN(CLI_USAGE, "staff", "add", "--facility", "clinic-n", "--role", "doctor");
}

static void test_cert(void **state)
{
    char serial[64];

    (void)state;
    RUN(CLI_OK, "cert", "issue", "clinic-n", "--facility", "clinic-n");
    OUT("pki/clinic-n.key");
    assert_int_equal(access(path_in("pki/clinic-n.pem"), R_OK), 0);
    RUN(CLI_OK, "cert", "issue", "resident-6", "--card", region->people[5].card);
    RUN(CLI_NOT_FOUND, "cert", "issue", "nobody", "--facility", "nobody");
    RUN(CLI_USAGE, "cert", "issue", "nobody");
    RUN(CLI_OK, "cert", "list", "--json");
    assert_string_equal(field_where("name", "clinic-n", "revoked"), "");
    (void)snprintf(serial, sizeof(serial), "%s", field_where("name", "clinic-n", "serial"));
    RUN(CLI_OK, "cert", "revoke", serial);
    OUT(serial);
    RUN(CLI_OK, "cert", "list", "--json");
    assert_true(strlen(field_where("serial", serial, "revoked")) > 0);
    RUN(CLI_NOT_FOUND, "cert", "revoke", serial);
    RUN(CLI_OK, "cert", "revoke", "resident-6");
}

static void test_crl(void **state)
{
    struct stat before, after;
    char key[256], away[260];

    (void)state;
    assert_int_equal(stat(path_in("pki/crl.pem"), &before), 0);
    RUN(CLI_OK, "cert", "crl");
    OUT("pki/crl.pem: ");
    OUT(" days");
    assert_int_equal(stat(path_in("pki/crl.pem"), &after), 0);
    assert_true(before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
                before.st_mtim.tv_nsec != after.st_mtim.tv_nsec);
    (void)snprintf(key, sizeof(key), "%s", path_in("pki/ca.key"));
    (void)snprintf(away, sizeof(away), "%s.off", key);
    assert_int_equal(rename(key, away), 0);
    RUN(CLI_NOT_FOUND, "cert", "crl");
    SAID("this authority is not ours");
    assert_int_equal(rename(away, key), 0);
    RUN_BARE(CLI_USAGE, "cert", "crl");
}

/* ── people ──────────────────────────────────────────────────────────────────────────────────── */

static void test_card(void **state)
{
    char card[16];

    (void)state;
    RUN(CLI_OK, "card", "issue", "--name", "架空三郎", "--kana", "カクウサブロウ", "--birth-date",
        "1970-01-02", "--gender", "male");
    assert_int_equal(output_len, 15);
    (void)snprintf(card, sizeof(card), "%.14s", output);
    RUN(CLI_OK, "card", "lookup", card);
    OUT("facility");
    RUN(CLI_OK, "card", "revoke", card);
    RUN(CLI_NOT_FOUND, "card", "lookup", card);
    RUN(CLI_INVALID, "card", "lookup", "123456789012");
    RUN(CLI_USAGE, "card", "issue", "--facility", "hospital-a");
    RUN(CLI_OK, "card", "lookup", region->people[0].card, "--json");
    assert_string_equal(field_where("facility", "hospital-a", "local"),
                        region->people[0].local[DEMO_HOSPITAL_A]);
}

static void test_patient(void **state)
{
    char *local = region->people[0].local[DEMO_HOSPITAL_A];
    char *other = region->people[1].card;

    (void)state;
    RUN(CLI_OK, "patient", "show", region->people[0].card, "--json");
    assert_string_equal(field_where("facility", "hospital-a", "value"), local);
    assert_string_equal(field_where("kind", "card", "value"), region->people[0].card);
    RUN(CLI_OK, "patient", "unlink", "--facility", "hospital-a", "--local", local);
    RUN(CLI_OK, "patient", "show", region->people[0].card);
    OUT_NOT("hospital-a");
    RUN(CLI_OK, "patient", "undo", "--facility", "hospital-a", "--local", local);
    RUN(CLI_OK, "patient", "show", region->people[0].card);
    OUT("hospital-a");
    RUN(CLI_OK, "patient", "link", "--facility", "hospital-a", "--local", local, "--card", other);
    RUN(CLI_OK, "patient", "show", "--facility", "hospital-a", "--local", local);
    OUT(other);
    RUN(CLI_OK, "patient", "undo", "--facility", "hospital-a", "--local", local);
    RUN(CLI_NOT_FOUND, "patient", "show", "--facility", "hospital-a", "--local", "none");
    RUN(CLI_USAGE, "patient", "link", "--facility", "hospital-a", "--local", local);
}

/* A chart that nobody gave a number shows none. */
static void test_patient_without_number(void **state)
{
    (void)state;
    RUN(CLI_OK, "patient", "show", "--facility", "pharmacy-p", "--local", "Q-1", "--json");
    assert_string_equal(field_where("facility", "pharmacy-p", "value"), "Q-1");
    assert_string_equal(field_where("facility", "clinic-c", "value"), "");
    OUT_NOT("~");
}

static void test_queue(void **state)
{
    char question[24];

    (void)state;
    RUN(CLI_OK, "patient", "queue");
    OUT("known-as");
    RUN(CLI_OK, "patient", "queue", "--json");
    assert_string_equal(field_where("local", "Q-2", "facility"), "clinic-c");
    assert_string_equal(field_where("local", "Q-2", "known-as"), "pharmacy-p:Q-1 clinic-c");
    (void)snprintf(question, sizeof(question), "%s", field_where("local", "Q-2", "question"));
    RUN(CLI_OK, "patient", "dismiss", question);
    RUN(CLI_NOT_FOUND, "patient", "dismiss", question);
    RUN(CLI_USAGE, "patient", "dismiss", "first");
    RUN(CLI_OK, "patient", "queue");
    OUT_NOT("Q-2");
}

static void test_consent(void **state)
{
    char *card = region->people[DEMO_STORY_DENIES_B - 1].card;

    (void)state;
    RUN(CLI_OK, "consent", "show", card);
    OUT("permit");
    OUT("hospital-b");
    RUN(CLI_OK, "consent", "explain", card, "--facility", "hospital-b", "--json");
    assert_string_equal(field_where("category", "laboratory", "decision"), "deny");
    RUN(CLI_OK, "consent", "explain", card, "--facility", "hospital-a", "--json");
    assert_string_equal(field_where("category", "laboratory", "decision"), "permit");
    RUN(CLI_USAGE, "consent", "explain", card);
    RUN(CLI_USAGE, "consent", "explain", card, "--facility", "hospital-a", "--purpose", "FUN");
    RUN(CLI_NOT_FOUND, "consent", "explain", card, "--facility", "nobody");
    RUN(CLI_NOT_FOUND, "consent", "show", "1");
}

/* ── intake ──────────────────────────────────────────────────────────────────────────────────── */

#define FOLDER "root/000/777/00077701/"
#define MESSAGE(trigger, id, local)                                                                \
    "MSH|^~\\&|HIS|A|GW|T|20261101101500||" trigger "|" id "|P|2.5||||||UNICODE UTF-8\r"           \
    "EVN||202611011015\r"                                                                          \
    "PID|0001||" local "^^^^PI||架空^四郎^^^^^L^I~カクウ^シロウ^^^^^L^P||19520314|M\r"   \
    "NK1|1|架空^花^^^^^L^I|SPO^配偶者^HL70063|||||||||||||||||||JPN\r"                         \
    "PV1|0001|O|01^^^^^C\r"
#define RESULT(id)                                                                                 \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"    \
    "\"http://loinc.org\",\"code\":\"8867-4\"}]},\"subject\":{\"identifier\":{\"system\":"         \
    "\"urn:tasuki:clinic-card\",\"value\":\"" id "\"}},\"effectiveDateTime\":\"2026-11-01\","      \
    "\"valueQuantity\":{\"value\":72,\"unit\":\"/min\",\"system\":"                                \
    "\"http://unitsofmeasure.org\",\"code\":\"/min\"}}"

static void test_import_ssmix2(void **state)
{
    char root[256];

    (void)state;
    write_text(FOLDER "-/ADT-00/00077701_-_ADT-00_999999999999999_20261101101500000_-_1",
               MESSAGE("ADT^A08^ADT_A01", "V1", "00077701"));
    write_text(FOLDER "-/ADT-01/00077701_-_ADT-01_999999999999999_20261101101501000_-_1",
               MESSAGE("ADT^A54^ADT_A54", "V2", "00077702\007")); /* another patient */
    (void)snprintf(root, sizeof(root), "%s", path_in("root"));
    RUN(CLI_INVALID, "import", "ssmix2", root, "--facility", "hospital-a");
    OUT("ERR_PATIENT_MISMATCH");
    SAID("2 documents, 0 of them dealt with before, 1 refused");
    RUN(CLI_OK, "import", "ssmix2", root, "--facility", "hospital-a");
    SAID("2 documents, 2 of them dealt with before, 0 refused");
    RUN(CLI_OK, "patient", "show", "--facility", "hospital-a", "--local", "00077701");
    RUN(CLI_NOT_FOUND, "import", "ssmix2", root, "--facility", "nobody");
    RUN(CLI_USAGE, "import", "ssmix2", root);
}

/* The message of test_import_ssmix2 that was taken in, byte by byte. */
static void test_intake_original(void)
{
    static const char message[] = MESSAGE("ADT^A08^ADT_A01", "V1", "00077701");
    unsigned char sha[DIGEST_LEN];
    struct buf hex;

    buf_init(&hex, 128);
    digest_sha256(slice_str(message), sha);
    digest_hex(&hex, slice_of(sha, sizeof(sha)));
    buf_addc(&hex, '\0');
    RUN(CLI_OK, "intake", "original", hex.ptr, "--facility", "hospital-a");
    assert_string_equal(output, message);
    RUN(CLI_NOT_FOUND, "intake", "original", hex.ptr, "--facility", "hospital-b");
    RUN(CLI_REFUSED, "intake", "original", hex.ptr, "--facility", "operator");
    RUN(CLI_USAGE, "intake", "original", "abc", "--facility", "hospital-a");
    hex.ptr[0] = hex.ptr[0] == 'a' ? 'b' : 'a';
    RUN(CLI_NOT_FOUND, "intake", "original", hex.ptr, "--facility", "hospital-a");
    buf_fini(&hex);
}

static void test_intake(void **state)
{
    char id[24];

    (void)state;
    RUN(CLI_OK, "intake", "rejected", "--facility", "hospital-a");
    OUT("ERR_PATIENT_MISMATCH");
    RUN(CLI_OK, "intake", "rejected", "--facility", "hospital-a", "--json");
    assert_string_equal(field_where("code", "ERR_PATIENT_MISMATCH", "door"), "ssmix2");
    assert_true(strlen(field_where("code", "ERR_PATIENT_MISMATCH", "text")) > 0);
    (void)snprintf(id, sizeof(id), "%s", field_where("code", "ERR_PATIENT_MISMATCH", "id"));
    RUN(CLI_OK, "intake", "rejected", "--facility", "hospital-b", "--json");
    assert_string_equal(output, "[]\n");
    RUN(CLI_OK, "intake", "rejected", "--reason", "ERR_PATIENT_MISMATCH");
    OUT("hospital-a");
    RUN(CLI_OK, "intake", "rejected", "--reason", "ERR_CONFLICT", "--json");
    assert_string_equal(output, "[]\n");
    RUN(CLI_USAGE, "intake", "rejected", "--reason", "ERR_NEVER");
    RUN(CLI_NOT_FOUND, "intake", "rejected", "--facility", "nobody");
    RUN(CLI_OK, "intake", "show", id, "--facility", "hospital-a");
    OUT("MSH|^~\\&|HIS|A|GW|T|20261101101500||ADT^A54^ADT_A54|V2|");
    OUT("\nPID|0001||00077702␇^^^^PI||架空^四郎");
    OUT_NOT("\007");
    OUT_NOT("\r");
    RUN(CLI_NOT_FOUND, "intake", "show", id, "--facility", "hospital-b"); /* not its */
    RUN(CLI_NOT_FOUND, "intake", "show", "999999", "--facility", "hospital-a");
    RUN(CLI_NOT_FOUND, "intake", "show", id, "--facility", "nobody");
    RUN(CLI_REFUSED, "intake", "show", id, "--facility", "operator");
    RUN(CLI_USAGE, "intake", "show", "x", "--facility", "hospital-a");
    test_intake_original();
    RUN(CLI_OK, "intake", "unmapped", "--facility", "hospital-a", "--json");
    assert_string_equal(field_where("field", "NK1-22", "message"), "ADT^A08");
    RUN(CLI_OK, "intake", "unmapped");
    OUT("times");
    OUT("NK1-22");
    RUN(CLI_NOT_FOUND, "intake", "unmapped", "--facility", "nobody");
}

static void test_coverage(void **state)
{
    (void)state;
    RUN_BARE(CLI_OK, "map", "--coverage");
    OUT("OUL^R22");
    RUN_BARE(CLI_OK, "map", "--coverage", "--json", "ADT^A08");
    OUT("{\"field\":\"PID-5\",\"state\":\"mapped\",\"to\":[\"Patient.name[]\"]}");
    OUT_NOT("OUL^R22");
    RUN_BARE(CLI_USAGE, "map");
}

/* A refused message about a known patient: he may see that somebody read it. One whose bytes are
 * not what MSH-18 says is shown all the same. */
static void test_intake_show(void **state)
{
    char id[24], text[1024], root[256];
    const char *local = region->people[0].local[DEMO_HOSPITAL_A];

    (void)state;
    (void)snprintf(text, sizeof(text), MESSAGE("ADT^A08^ADT_A01", "V8", "%s"), local);
    write_text("other/000/777/00077708/-/ADT-00/"
               "00077708_-_ADT-00_999999999999999_20261101101508000_-_1",
               text);
    write_text("other/000/777/00077709/-/ADT-00/"
               "00077709_-_ADT-00_999999999999999_20261101101509000_-_1",
               MESSAGE("ADT^A08^ADT_A01", "V9", "00077709\xe9"));
    (void)snprintf(root, sizeof(root), "%s", path_in("other"));
    RUN(CLI_INVALID, "import", "ssmix2", root, "--facility", "hospital-a");
    RUN(CLI_OK, "intake", "rejected", "--facility", "hospital-a", "--json");
    (void)snprintf(id, sizeof(id), "%s", field_where("code", "ERR_CHARSET", "id"));
    RUN(CLI_OK, "intake", "show", id, "--facility", "hospital-a");
    SAID("not in the character set");
    OUT("00077709<E9>^^^^PI||架空^四郎");
    RUN(CLI_OK, "audit", "search", "--card", region->people[0].card);
    OUT_NOT("intake-show");
    RUN(CLI_OK, "intake", "rejected", "--facility", "hospital-a", "--json");
    (void)snprintf(id, sizeof(id), "%s", field_where("code", "ERR_PATIENT_MISMATCH", "id"));
    RUN(CLI_OK, "intake", "show", id, "--facility", "hospital-a");
    OUT(local);
    RUN(CLI_OK, "audit", "search", "--card", region->people[0].card);
    OUT("intake-show");
}

static void test_import_fhir(void **state)
{
    char text[1024], good[256], bad[256];

    (void)state;
    (void)snprintf(text, sizeof(text), RESULT("%s"), region->people[0].card);
    write_text("good.json", text);
    write_text("bad.json", "{\"resourceType\":\"Observation\",\"status\":\"done\"}");
    (void)snprintf(good, sizeof(good), "%s", path_in("good.json"));
    (void)snprintf(bad, sizeof(bad), "%s", path_in("bad.json"));
    RUN(CLI_OK, "import", "fhir", good, "--facility", "hospital-a");
    SAID("1 documents");
    RUN(CLI_INVALID, "import", "fhir", bad, "--facility", "hospital-a");
    OUT("bad.json");
    RUN(CLI_NOT_FOUND, "import", "fhir", path_in("none.json"), "--facility", "hospital-a");
    RUN_BARE(CLI_OK, "validate", "fhir", good);
    RUN_BARE(CLI_INVALID, "validate", "fhir", bad, "--json");
    OUT("\"severity\":\"error\"");
}

/* The same in FHIR XML, in and out. */
static void test_xml(void **state)
{
    char text[2048], good[256], bad[256];

    (void)state;
    (void)snprintf(
        text, sizeof(text),
        "<?xml version='1.0'?><Observation xmlns='http://hl7.org/fhir'><status value='final'/>"
        "<code><text value='a'/></code><subject><identifier><system "
        "value='urn:tasuki:clinic-card'/><value value='%s'/></identifier></subject>"
        "<valueQuantity><value value='1.50'/></valueQuantity></Observation>",
        region->people[0].card);
    write_text("good.xml", text);
    write_text("bad.xml",
               "<Observation xmlns='http://hl7.org/fhir'><color value='x'/></Observation>");
    (void)snprintf(good, sizeof(good), "%s", path_in("good.xml"));
    (void)snprintf(bad, sizeof(bad), "%s", path_in("bad.xml"));
    RUN_BARE(CLI_OK, "validate", "fhir", good);
    RUN_BARE(CLI_INVALID, "validate", "fhir", bad, "--json");
    OUT("Observation.color");
    RUN_BARE(CLI_OK, "map", good, "--to", "fhir");
    OUT("\"value\":1.50");
    RUN_BARE(CLI_OK, "map", good, "--to", "xml");
    OUT("\n  <valueQuantity>\n    <value value=\"1.50\"/>\n");
    RUN(CLI_OK, "import", "fhir", good, "--facility", "hospital-a");
    SAID("1 documents");
    RUN(CLI_INVALID, "import", "fhir", bad, "--facility", "hospital-a");
    OUT("Observation.color");
}

static void test_validate_and_map(void **state)
{
    char message[256];

    (void)state;
    write_text("adt.hl7", MESSAGE("ADT^A08^ADT_A01", "V3", "00077703"));
    (void)snprintf(message, sizeof(message), "%s", path_in("adt.hl7"));
    RUN_BARE(CLI_OK, "validate", "hl7", message);
    RUN_BARE(CLI_INVALID, "validate", "ssmix2", path_in("root"));
    OUT("ERR_PATIENT_MISMATCH");
    RUN_BARE(CLI_OK, "map", message, "--to", "fhir");
    OUT("\"resourceType\":\"Bundle\"");
    OUT("架空");
    RUN_BARE(CLI_OK, "map", message, "--to", "html");
    OUT("<html");
    RUN_BARE(CLI_USAGE, "map", message, "--to", "cda");
    RUN_BARE(CLI_NOT_FOUND, "map", path_in("none"), "--to", "fhir");
}

/* ── upkeep and proof ────────────────────────────────────────────────────────────────────────── */

static void test_upkeep(void **state)
{
    char copy[256];

    (void)state;
    (void)snprintf(copy, sizeof(copy), "%s", path_in("copy-1.db"));
    RUN(CLI_OK, "backup", copy);
    assert_int_equal(access(copy, R_OK), 0);
    RUN(CLI_FAILED, "backup", copy); /* there already */
    RUN(CLI_FAILED, "backup", path_in("no/such/copy-2.db"));
    RUN(CLI_OK, "migrate", "status");
    OUT("made 2");
    RUN(CLI_OK, "migrate", "status", "--json");
    OUT("\"created\":\"2");
    RUN(CLI_OK, "reindex");
    OUT(" records");
    RUN(CLI_OK, "migrate", "up");
    OUT("schema ");
    RUN_BARE(CLI_OK, "check-config", path_in("tasuki.conf"));
}

static void test_audit(void **state)
{
    static const char *const events[] = {
        "facility-list", "facility-add",    "staff-add",       "cert-list",       "cert-issue",
        "cert-revoke",   "cert-crl",        "card-issue",      "card-lookup",     "card-revoke",
        "patient-show",  "patient-link",    "patient-unlink",  "patient-undo",    "patient-queue",
        "consent-show",  "consent-explain", "intake-rejected", "intake-unmapped", "intake-show",
        "backup",        "reindex",         "patient-dismiss", "intake",          "intake-original"};

    (void)state;
    RUN(CLI_OK, "audit", "verify");
    OUT("ok: ");
    RUN(CLI_OK, "audit", "verify", "--json");
    OUT("\"ok\":true");
    RUN(CLI_OK, "audit", "search", "--limit", "1000", "--json");
    for (size_t i = 0; i < T_COUNT(events); i++)
        (void)field_where("event", events[i], "seq");
    assert_string_equal(field_where("event", "backup", "outcome"), "ERR_IO"); /* the last one */
    assert_string_equal(field_where("entity", "copy-1.db", "event"), "backup");
    assert_string_equal(field_where("entity", "copy-1.db", "outcome"), "ok");
    assert_string_equal(field_where("entity", "copy-1.db", "actor"), "operator");
    assert_string_equal(field_where("reason", "n-dr-01: nurse", "entity"), "Organization/clinic-n");
    assert_string_equal(field_where("event", "intake-show", "door"), "command");
    OUT_NOT(dir);
    RUN(CLI_OK, "audit", "search", "--card", region->people[0].card, "--limit", "1");
    SAID("1 of ");
    RUN(CLI_USAGE, "audit", "search", "--limit", "1001");
    SAID("1 to 1000");
    RUN(CLI_USAGE, "audit", "search", "--limit", "0");
    RUN(CLI_USAGE, "audit", "search", "--from", "yesterday");
    RUN(CLI_NOT_FOUND, "audit", "search", "--facility", "nobody");
}

/* Whom the hospital touched, by what the operator knows them as. */
static void test_audit_touched(void **state)
{
    (void)state;
    RUN(CLI_OK, "audit", "touched", "--facility", "hospital-a", "--json");
    assert_true(strcmp(field_where("card", region->people[0].card, "rows"), "0") > 0);
    OUT("hospital-a:");
    OUT_NOT("\"name\"");
    RUN(CLI_OK, "audit", "touched", "--facility", "hospital-a");
    OUT("known-as");
    OUT(region->people[0].card);
    RUN(CLI_OK, "audit", "touched", "--facility", "hospital-a", "--to", "2001-01-01");
    OUT_NOT(region->people[0].card);
    RUN(CLI_OK, "audit", "touched", "--facility", "hospital-a", "--from", "2001-01-01");
    OUT(region->people[0].card);
    RUN(CLI_USAGE, "audit", "touched");
    RUN(CLI_USAGE, "audit", "touched", "--facility", "hospital-a", "--from", "yesterday");
    RUN(CLI_NOT_FOUND, "audit", "touched", "--facility", "nobody");
    SAID("--facility");
}

static void test_audit_export(void **state)
{
    char file[256], line[8192];
    struct stat st;
    FILE *lines = NULL;
    int count = 0;

    (void)state;
    (void)snprintf(file, sizeof(file), "%s", path_in("chain.ndjson"));
    RUN(CLI_OK, "audit", "export", file);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777u, 0600);
    lines = fopen(file, "r");
    assert_non_null(lines);
    while (fgets(line, sizeof(line), lines)) {
        char start[32];

        (void)snprintf(start, sizeof(start), "{\"seq\":%d,", ++count);
        assert_true(strncmp(line, start, strlen(start)) == 0);
        assert_non_null(strstr(line, "\"hash\":\""));
    }
    assert_int_equal(fclose(lines), 0);
    assert_true(count > 100);
    RUN(CLI_FAILED, "audit", "export", file);
    SAID("there already");
    RUN(CLI_FAILED, "audit", "export", path_in("no/such/chain.ndjson"));
    RUN(CLI_OK, "audit", "search", "--limit", "1000", "--json");
    (void)snprintf(line, sizeof(line), "%d", count);
    assert_string_equal(field_where("event", "audit-export", "entity"), "chain.ndjson");
    assert_string_equal(field_where("event", "audit-export", "count"), line);
    assert_string_equal(field_where("event", "audit-touched", "outcome"), "ERR_NOT_FOUND");
    assert_string_equal(field_where("entity", "Organization/hospital-a", "event"), "audit-touched");
}

/* ── restore ─────────────────────────────────────────────────────────────────────────────────── */

static void open_server(enum err want, struct server **ret_server)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct err_list errors;
    struct conf conf;
    char text[512] = "";

    err_list_init(&errors, arena);
    assert_int_equal(conf_read(arena, region->conf_path, &errors, &conf), ERR_OK);
    assert_int_equal(server_open(&conf, NULL, NULL, text, sizeof(text), ret_server), want);
    if (want)
        assert_non_null(strstr(text, "サーバーが動いている"));
    arena_free(arena);
}

/* One server on one store; commands go on beside it; nobody takes its store away. */
static void test_restore_beside_server(void **state)
{
    struct server *server = NULL, *second = NULL;
    char copy[256];

    (void)state;
    (void)snprintf(copy, sizeof(copy), "%s", path_in("copy-1.db"));
    open_server(ERR_OK, &server);
    open_server(ERR_UNAVAILABLE, &second);
    assert_null(second);
    RUN(CLI_REFUSED, "restore", copy);
    SAID("stop it first");
    RUN(CLI_OK, "facility", "list");
    server_free(server);
    open_server(ERR_OK, &server);
    server_free(server);
}

static void test_restore_refused(void **state)
{
    char text[256];
    int lock = -1;

    (void)state;
    (void)snprintf(text, sizeof(text), "%s", path_in("tasuki.conf"));
    RUN(CLI_INVALID, "restore", text);
    SAID("damaged");
    SAID("the store is as it was");
    RUN(CLI_NOT_FOUND, "restore", path_in("none.db"));
    RUN(CLI_USAGE, "restore");
    (void)snprintf(text, sizeof(text), "%s", path_in("copy-1.db"));
    assert_int_equal(lock_take(path_in("data/tasuki.db"), &lock), ERR_OK);
    RUN(CLI_REFUSED, "restore", text, "--verify");
    RUN(CLI_OK, "facility", "list"); /* other commands do not mind */
    assert_int_equal(lock_exclude(lock), ERR_OK);
    RUN(CLI_TRY_AGAIN, "facility", "list");
    lock_release(lock);
    assert_int_equal(lock_share(path_in("data/tasuki.db"), &lock), ERR_OK);
    RUN(CLI_REFUSED, "restore", text);
    SAID("another command");
    lock_release(lock);
    RUN(CLI_OK, "audit", "verify");
}

/* What came after the copy is gone from the store and kept beside it; the chain goes on with the
 * row that says so and can be proved. */
static void test_restore(void **state)
{
    char copy[256], late[256];

    (void)state;
    RUN(CLI_OK, "facility", "add", "clinic-late", "--code", "2210009987", "--name", "後の診療所",
        "--kind", "clinic");
    (void)snprintf(late, sizeof(late), "%s", path_in("copy-late.db"));
    RUN(CLI_OK, "backup", late);
    (void)snprintf(copy, sizeof(copy), "%s", path_in("copy-1.db"));
    RUN(CLI_OK, "restore", copy, "--verify");
    OUT("restored: schema ");
    OUT(".before-restore-2");
    RUN(CLI_OK, "facility", "list");
    OUT("clinic-n");
    OUT_NOT("clinic-late");
    RUN(CLI_OK, "audit", "verify");
    RUN(CLI_OK, "audit", "search", "--limit", "1000", "--json");
    assert_string_equal(field_where("event", "restore", "entity"), "copy-1.db");
    assert_string_equal(field_where("event", "restore", "actor"), "operator");
    assert_string_equal(field_where("event", "restore", "outcome"), "ok");
    OUT("backup: rows to ");
    OUT_NOT("audit-export");
    RUN(CLI_OK, "restore", late);
    RUN(CLI_OK, "facility", "list");
    OUT("clinic-late");
    RUN(CLI_OK, "audit", "verify");
}

static void test_usage(void **state)
{
    (void)state;
    RUN_BARE(CLI_USAGE, "fly");
    RUN_BARE(CLI_USAGE, "bench", "--patients", "3");
    RUN_BARE(CLI_USAGE, "facility", "list");
    RUN_BARE(CLI_FAILED, "facility", "list", "--config", "/nonexistent/tasuki.conf");
    RUN_BARE(CLI_OK, "help", "intake");
    OUT("tasuki intake rejected");
    OUT("tasuki intake replay");
    RUN_BARE(CLI_OK, "version", "--json");
    RUN_BARE(CLI_OK, "completion", "bash");
    OUT("patient) words=\"show link unlink undo queue dismiss\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facility),
        cmocka_unit_test(test_staff),
        cmocka_unit_test(test_cert),
        cmocka_unit_test(test_crl),
        cmocka_unit_test(test_card),
        cmocka_unit_test(test_patient),
        cmocka_unit_test(test_patient_without_number),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_consent),
        cmocka_unit_test(test_import_ssmix2),
        cmocka_unit_test(test_intake),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_intake_show),
        cmocka_unit_test(test_import_fhir),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_validate_and_map),
        cmocka_unit_test(test_upkeep),
        cmocka_unit_test(test_audit),
        cmocka_unit_test(test_audit_touched),
        cmocka_unit_test(test_audit_export),
        cmocka_unit_test(test_restore_beside_server),
        cmocka_unit_test(test_restore_refused),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_usage),
    };

    return cmocka_run_group_tests(tests, make, drop);
}

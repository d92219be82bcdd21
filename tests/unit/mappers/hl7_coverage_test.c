/* SPDX-License-Identifier: Apache-2.0
 *
 * The mapper's report of itself against two public mapping sets: HL7's v2-to-FHIR tables and the
 * JAMI working group's SS-MIX2 to FHIR map. A row of theirs counts when it names a target, and is
 * covered when one of our tables maps its field; the second figure asks for the same type of
 * resource. Maps left out are named with their reason, and counted apart.
 */
#include "lib/t.h"

#include <dirent.h>

#include "base/limits.h"
#include "hl7_map_run.h"
#include "mappers/charset.h"
#include "mappers/hl7v2/coverage.h"
#include "base/banned.h"

struct score {
    unsigned rows, covered, same_type;
    unsigned unreasoned; /* neither mapped nor said why not */
};

static const struct {
    const char *map, *why;
} left_out[] = {
    {"MSH[", "transport: the inbox and the Provenance keep it, no MessageHeader is stored"},
    {"PID[Account", "no accounts: SS-MIX2 has no billing"},
    {"PID[Provenance", "PID-34 names a source that MSH-4 names"},
    {"PV1[Basic", "a second record of the same visit"},
    {"PV1[Coverage", "a financial class is no insurance"},
    {"NK1[RelatedPerson", "next of kin are Patient.contact, as SS-MIX2's own map says"},
    {"ORC[Provenance", "who ordered stands in the order itself"},
    {"SCH[", "see SCH[Appointment]: an appointment is one resource here"},
    {"AIS[ServiceRequest", "the same"},
    {"DG1[E", "diagnoses are Conditions in their encounter"},
    {"PD1[Observation", "a living will is no observation"},
    {"OBX[Observation-Component", "components are made where an item has several answers"},
};

static const char *why_left_out(const char *map)
{
    if (strncmp(map, "SCH[Appointment", 15) == 0)
        return NULL;
    for (size_t i = 0; i < T_COUNT(left_out); i++) {
        if (strncmp(map, left_out[i].map, strlen(left_out[i].map)) == 0)
            return left_out[i].why;
    }
    return NULL;
}

/* Cuts the next cell off TEXT (CSV with quotes, or plain TSV); true while the line goes on. */
static bool next_cell(char **text, char separator, char *cell, size_t size)
{
    char *p = *text;
    size_t len = 0;
    bool quoted = separator == ',' && *p == '"';

    if (quoted)
        p++;
    for (; *p; p++) {
        if (quoted && *p == '"') {
            if (p[1] != '"') {
                quoted = false;
                continue;
            }
            p++;
        } else if (!quoted && (*p == separator || *p == '\n')) {
            break;
        }
        if (len + 1 < size)
            cell[len++] = *p;
    }
    cell[len] = '\0';
    *text = *p ? p + 1 : p;
    return *p == separator;
}

#define CELLS 20
#define CELL 256

/* Reads one line into CELLS cells; false at the end. */
static bool next_line(char **text, char separator, char cells[CELLS][CELL])
{
    static char lost[CELL];
    size_t n = 0;

    memset(cells, 0, CELLS * CELL);
    if (**text == '\0')
        return false;
    while (next_cell(text, separator, n < CELLS ? cells[n] : lost, CELL))
        n++;
    return true;
}

/* "PID-5.1" to PID and 5. */
static bool read_field(const char *text, char segment[4], unsigned *ret_field)
{
    return sscanf(text, "%3[A-Z0-9]-%u", segment, ret_field) == 2 && strlen(segment) == 3;
}

static void count_row(struct score *score, const char *source, const char *target)
{
    char segment[4], type[64];
    unsigned field;

    if (!read_field(source, segment, &field) || field == 0)
        return;
    snprintf(type, sizeof(type), "%s", target);
    type[strcspn(type, "[.-")] = '\0';
    score->rows++;
    if (!coverage_maps(slice_str(segment), field, SLICE_NONE)) {
        const char *why = coverage_why_kept(slice_str(segment), field);

        if (!why || getenv("TASUKI_COVERAGE_VERBOSE"))
            printf("  not mapped: %s -> %s: %s\n", source, target, why ? why : "NO REASON GIVEN");
        score->unreasoned += !why;
        return;
    }
    score->covered++;
    score->same_type += coverage_maps(slice_str(segment), field, slice_str(type));
}

static void add(struct score *sum, const struct score *one)
{
    sum->rows += one->rows;
    sum->covered += one->covered;
    sum->same_type += one->same_type;
    sum->unreasoned += one->unreasoned;
}

static double percent(unsigned part, unsigned whole)
{
    return whole ? 100.0 * part / whole : 100.0;
}

/* One CSV: name "HL7 Segment - FHIR R4_ PID[Patient] - PID.csv". */
static struct score score_csv(const char *path, const char *target)
{
    static char cells[CELLS][CELL];
    size_t len = 0;
    char *bytes = run_read(path, &len), *at = bytes;
    struct score score = {0};

    assert_non_null(bytes);
    while (next_line(&at, ',', cells)) {
        if (cells[9][strspn(cells[9], " ")] || cells[10][strspn(cells[10], " ")])
            count_row(&score, cells[1], target);
    }
    free(bytes);
    return score;
}

static void covers_v2_to_fhir(void **state)
{
    struct score counted = {0}, apart = {0};
    char root[512], path[1024];
    DIR *dir;

    (void)state;
    if (!t_corpus("hl7v2/v2-to-fhir-maps/mappings/segments", root, sizeof(root))) {
        skip();
        return;
    }
    dir = opendir(root);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        const char *name = strstr(e->d_name, "R4_ ");
        struct score score;
        char map[64] = "";

        if (!name || !coverage_uses(slice_of(name + 4, 3)))
            continue;
        snprintf(map, sizeof(map), "%s", name + 4);
        map[strcspn(map, "]")] = '\0';
        snprintf(path, sizeof(path), "%s/%s", root, e->d_name);
        score = score_csv(path, map + 4);
        add(why_left_out(map) ? &apart : &counted, &score);
        printf("  %s]: %u of %u rows, %u into the same type%s%s\n", map, score.covered, score.rows,
               score.same_type, why_left_out(map) ? "; counted apart: " : "",
               why_left_out(map) ? why_left_out(map) : "");
    }
    closedir(dir);
    printf("v2-to-FHIR: %u of %u rows mapped (%.1f %%), %u into the same type (%.1f %%)\n",
           counted.covered, counted.rows, percent(counted.covered, counted.rows), counted.same_type,
           percent(counted.same_type, counted.rows));
    add(&apart, &counted);
    printf("v2-to-FHIR with the maps left out: %u of %u rows (%.1f %%)\n", apart.covered,
           apart.rows, percent(apart.covered, apart.rows));
    assert_true(percent(counted.covered, counted.rows) >= 90.0);
    assert_int_equal(counted.unreasoned, 0);
}

static void covers_ssmix2_map(void **state)
{
    static char cells[CELLS][CELL];
    struct score score = {0}, all = {0};
    char path[512];
    size_t len = 0;
    char *bytes, *at;

    (void)state;
    if (!t_corpus("japan/tables/ssmix2_to_fhir_mapping.tsv", path, sizeof(path))) {
        skip();
        return;
    }
    at = bytes = run_read(path, &len);
    assert_non_null(bytes);
    while (next_line(&at, '\t', cells)) { /* map, source, code, display, target, target code, ... */
        if (!cells[5][0] || strcmp(cells[7], "disjoint") == 0)
            continue;
        if (strncmp(cells[0], "segment-", 8) != 0 || !strchr(cells[2], '-'))
            continue;
        count_row(&all, cells[2], cells[5]);
        if (strncmp(cells[0], "segment-msh", 11) != 0)
            count_row(&score, cells[2], cells[5]);
    }
    free(bytes);
    printf("SS-MIX2 to FHIR: %u of %u rows mapped (%.1f %%), %u into the same type; with MSH %u of "
           "%u\n",
           score.covered, score.rows, percent(score.covered, score.rows), score.same_type,
           all.covered, all.rows);
    assert_int_equal(score.unreasoned, 0);
    assert_true(score.rows > 150);
    assert_true(percent(score.covered, score.rows) >= 90.0);
}

static const struct json *find(const struct json *list, const char *key, const char *value)
{
    for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
        if (slice_is(json_str(i, key), value))
            return i;
    }
    return NULL;
}

static const char *const messages[] = {
    "ADT^A01", "ADT^A02", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A11", "ADT^A12", "ADT^A13",
    "ADT^A14", "ADT^A15", "ADT^A16", "ADT^A21", "ADT^A22", "ADT^A23", "ADT^A25", "ADT^A26",
    "ADT^A27", "ADT^A52", "ADT^A53", "ADT^A54", "ADT^A55", "ADT^A60", "PPR^ZD1", "OMD^O03",
    "RDE^O11", "RAS^O17", "OML^O33", "OUL^R22", "OMG^O19", "OMI^Z23", "ORU^R01", "ORU^R30",
    "SIU^S12", "SIU^S13", "SIU^S14", "SIU^S15", "MDM^T02", "VXU^V04", "ORM^O01", "OML^O21",
    "OMP^O09", "RDE^O25", "RDS^O13", "ADT^A06", "ADT^A07", "ADT^A38", "ADT^A47", "ORU^R31",
    "ORU^R32", "OUL^R23", "OUL^R24", "MDM^T03",
};

static void tells_every_message(void **state)
{
    static const struct {
        const char *message, *segment, *field, *state;
    } cases[] = {
        {"ADT^A08", "PID", "PID-5", "mapped"},  {"ADT^A08", "PID", "PID-19", "kept"},
        {"ADT^A08", "PID", "PID-1", "read"},    {"ADT^A14", "PV2", "PV2-8", "mapped"},
        {"ADT^A25", "PV2", "PV2-8", "kept"},    {"ADT^A08", "IN2", "IN2-1", "kept"},
        {"OUL^R22", "OBX", "OBX-5", "mapped"},  {"OUL^R22", "MSH", "MSH-10", "read"},
        {"RDE^O11", "RXE", "RXE-2", "mapped"},  {"SIU^S12", "SCH", "SCH-1", "mapped"},
        {"MDM^T02", "TXA", "TXA-12", "mapped"}, {"VXU^V04", "RXA", "RXA-15", "mapped"},
    };
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST);
    const struct json *list = json_get(coverage_report(arena, SLICE_NONE), "messages");

    (void)state;
    assert_non_null(list);
    for (size_t i = 0; i < T_COUNT(messages); i++)
        assert_non_null(find(list, "message", messages[i]));
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        const struct json *m = find(list, "message", cases[i].message);
        const struct json *s = find(json_get(m, "segments"), "segment", cases[i].segment);
        const struct json *f = find(json_get(s, "fields"), "field", cases[i].field);

        assert_non_null(f);
        if (!slice_is(json_str(f, "state"), cases[i].state))
            fail_msg("%s %s is %.*s", cases[i].message, cases[i].field,
                     SLICE_ARG(json_str(f, "state")));
    }
    assert_int_equal(json_get(coverage_report(arena, SLICE("ADT^A08")), "messages")->count, 1);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_every_message),
        cmocka_unit_test(covers_v2_to_fhir),
        cmocka_unit_test(covers_ssmix2_map),
    };

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}

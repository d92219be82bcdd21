/* SPDX-License-Identifier: Apache-2.0
 *
 * Every valid sample, broken in many small ways: whatever comes out is refused with a reason, or is
 * valid R4 with an account that adds up. Few mutations of each by default; TASUKI_MUTATIONS gives
 * another number (1000 before a release). The numbers are drawn from a fixed seed, so a failure can
 * be repeated.
 */
#include "hl7_map_run.h"

#include <dirent.h>
#include <ftw.h>

#include "mappers/charset.h"
#include "mappers/hl7v2/ack.h"
#include "base/banned.h"

#define CASES "tests/cases/hl7v2"
#define DEFAULT_MUTATIONS 100u
#define GROWTH 4096u

static uint64_t seed;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return below ? (size_t)(seed % below) : 0;
}

struct text {
    char *bytes;
    size_t len, room;
};

static void cut(struct text *t, size_t at, size_t len)
{
    if (at >= t->len)
        return;
    if (len > t->len - at)
        len = t->len - at;
    memmove(t->bytes + at, t->bytes + at + len, t->len - at - len);
    t->len -= len;
}

static void put(struct text *t, size_t at, const char *bytes, size_t len)
{
    if (at > t->len || len > t->room - t->len)
        return;
    memmove(t->bytes + at + len, t->bytes + at, t->len - at);
    memcpy(t->bytes + at, bytes, len);
    t->len += len;
}

static void repeat(struct text *t, size_t at, size_t len)
{
    char copy[256];

    if (len > sizeof(copy) || at + len > t->len)
        return;
    memcpy(copy, t->bytes + at, len);
    put(t, draw(t->len + 1), copy, len);
}

/* One line of the text: where it begins and how long it is with its end. */
static size_t line_at(const struct text *t, size_t at, size_t *ret_len)
{
    size_t from = at, to = at;

    while (from > 0 && t->bytes[from - 1] != '\r' && t->bytes[from - 1] != '\n')
        from--;
    while (to < t->len && t->bytes[to] != '\r' && t->bytes[to] != '\n')
        to++;
    *ret_len = to - from + (to < t->len);
    return from;
}

static void mutate_once(struct text *t)
{
    static const char *const pieces[] = {"|",
                                         "^",
                                         "~",
                                         "&",
                                         "\\",
                                         "\r",
                                         "\n",
                                         "\"\"",
                                         "\\X",
                                         "\033$B",
                                         "\033(B",
                                         "\x1c",
                                         "\xff",
                                         "\xe3\x81",
                                         "-1",
                                         "99999999999999999999",
                                         "20269999",
                                         "0",
                                         "||||||||||||||||||||",
                                         "\\.br\\",
                                         "D",
                                         "CA"};
    size_t len = 0, at = draw(t->len);
    const char *piece = pieces[draw(T_COUNT(pieces))];

    switch (draw(7)) {
    case 0:
        if (t->len)
            t->bytes[at] = (char)draw(256);
        break;
    case 1:
        cut(t, at, 1 + draw(8));
        break;
    case 2:
        put(t, at, piece, strlen(piece));
        break;
    case 3:
        repeat(t, at, 1 + draw(60));
        break;
    case 4: /* a segment less */
        at = line_at(t, at, &len);
        cut(t, at, len);
        break;
    case 5: /* a segment twice, somewhere */
        at = line_at(t, at, &len);
        repeat(t, at, len);
        break;
    default:
        t->len = draw(8) ? t->len : at;
        break;
    }
}

static struct {
    unsigned mapped, refused, broken;
} count;

/* Whatever was wrong, the answer is a message that names it: MSA-1, and an ERR with code, severity,
 * our own code and text for each error. */
static bool is_answered(struct slice raw, const struct run *run)
{
    struct arena *a = run->arena;
    const struct hl7_segment *msa, *err;
    struct hl7_message *answer = NULL;
    struct hl7_header header;
    struct err_list errors;
    struct buf out;
    bool good;

    hl7_peek(a, raw, &header);
    buf_init(&out, LIMIT_MIB);
    err_list_init(&errors, a);
    good = hl7_ack(&header, err_ack(run->err), &run->errors, SLICE("1"), 0, &out) == ERR_OK &&
           hl7_lex(a, buf_slice(&out), &errors, &answer) == ERR_OK;
    msa = good ? hl7_find(answer, "MSA", 1) : NULL;
    err = good ? hl7_find(answer, "ERR", 1) : NULL;
    good = msa && slice_is(hl7_value(answer, msa, 1, 1), err_ack(run->err));
    if (good && run->err && err && err->field_count > 2)
        good = hl7_field(err, 3).len && hl7_field(err, 4).len && hl7_field(err, 5).len &&
               hl7_field(err, 8).len;
    good = good && (run->err == ERR_OK || err);
    buf_fini(&out);
    return good;
}

static void try_one(const char *name, const struct text *t, unsigned n)
{
    struct run run;

    run_message(slice_of(t->bytes, t->len), &run);
    if (!is_answered(slice_of(t->bytes, t->len), &run)) {
        print_error("%s, mutation %u: no proper answer\n", name, n);
        count.broken++;
    }
    if (run.err != ERR_OK) {
        count.refused++;
        if (!run.errors.errors) {
            print_error("%s, mutation %u: refused without a reason\n", name, n);
            count.broken++;
        }
    } else if (run_faults(&run) > 0) {
        print_error("%s, mutation %u: not valid\n", name, n);
        if (getenv("TASUKI_COVERAGE_VERBOSE"))
            print_error("%.*s\n", (int)t->len, t->bytes);
        count.broken++;
    } else {
        count.mapped++;
    }
    run_end(&run);
}

static void mutate_file(const char *path, unsigned mutations)
{
    size_t len = 0;
    char *raw = run_read(path, &len);
    struct text t = {.room = len + GROWTH};

    if (!raw || len < 8) {
        free(raw);
        return;
    }
    t.bytes = malloc(t.room);
    assert_non_null(t.bytes);
    for (unsigned n = 0; n < mutations; n++) {
        size_t times;

        seed = UINT64_C(0x9E3779B97F4A7C15) * (n + 1) ^ len;
        memcpy(t.bytes, raw, len);
        t.len = len;
        times = 1 + draw(4);
        for (size_t k = 0; k < times; k++)
            mutate_once(&t);
        try_one(path, &t, n);
    }
    free(t.bytes);
    free(raw);
}

static unsigned mutations(void)
{
    const char *text = getenv("TASUKI_MUTATIONS");

    return text ? (unsigned)strtoul(text, NULL, 10) : DEFAULT_MUTATIONS;
}

static void tell(const char *what)
{
    printf("%s: %u mapped, %u refused, %u broken\n", what, count.mapped, count.refused,
           count.broken);
    assert_int_equal(count.broken, 0);
    memset(&count, 0, sizeof(count));
}

static void survives_mutated_cases(void **state)
{
    DIR *dir = opendir(CASES);
    char path[512];

    (void)state;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), CASES "/%s/in.hl7", e->d_name);
        mutate_file(path, mutations());
    }
    closedir(dir);
    tell("mutated cases");
}

static int mutate_found(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)where;
    if (flag == FTW_F && info->st_size < 64 * 1024)
        mutate_file(path, mutations());
    return 0;
}

static void survives_mutated_samples(void **state)
{
    char path[1024];

    (void)state;
    if (!t_corpus("japan/ssmix2-nho-sample/sampleData", path, sizeof(path))) {
        skip();
        return;
    }
    assert_int_equal(nftw(path, mutate_found, 16, FTW_PHYS), 0);
    tell("mutated samples");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_mutated_cases),
        cmocka_unit_test(survives_mutated_samples),
    };

    if (charset_init() != ERR_OK)
        return 1;
    return T_RUN(tests);
}

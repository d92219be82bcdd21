/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange/cli/args: verbs of one and two words, options in any place and form, and every usage
 * error named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/cli/args.h"

#include "base/banned.h"

static int run_none(const struct args *args)
{
    (void)args;
    return 0;
}

static const struct args_option show_options[] = {{"dir", "DIR", "", ""},
                                                  {"json", NULL, "", ""},
                                                  {"limit", "N", "", ""},
                                                  {NULL, NULL, NULL, NULL}};
static const struct args_verb table[] = {
    {"help", "[VERB]", 0, 1, NULL, run_none, "", ""},
    {"version", "", 0, 0, NULL, run_none, "", ""},
    {"card list", "", 0, 0, show_options, run_none, "", ""},
    {"card show", "NUMBER", 1, 2, show_options, run_none, "", ""},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};

#define WORDS 10
struct line {
    char *argv[WORDS];
    int argc;
};

/* Splits "card show 12" into words; the text must outlive the line. */
static struct line split(char *text)
{
    struct line line = {{"tasuki"}, 1};
    char *rest = NULL;

    for (char *word = strtok_r(text, " ", &rest); word && line.argc < WORDS;
         word = strtok_r(NULL, " ", &rest))
        line.argv[line.argc++] = word;
    return line;
}

static bool parse(const char *text, const char *lang, struct args *args, char room[128])
{
    static struct line line; /* args point into it */

    (void)snprintf(room, 128, "%s", text);
    line = split(room);
    return args_parse(table, line.argc, line.argv, lang, args);
}

static void test_accepted(void **state)
{
    static const struct {
        const char *line, *verb, *dir, *limit, *first;
        bool json, help, ja;
        unsigned operands;
    } cases[] = {
        {"", "help", NULL, NULL, NULL, false, false, false, 0},
        {"version", "version", NULL, NULL, NULL, false, false, false, 0},
        {"--version", "version", NULL, NULL, NULL, false, false, false, 0},
        {"--lang ja version", "version", NULL, NULL, NULL, false, false, true, 0},
        {"card list", "card list", NULL, NULL, NULL, false, false, false, 0},
        {"card show 12", "card show", NULL, NULL, "12", false, false, false, 1},
        {"card show --dir /x 12 --json", "card show", "/x", NULL, "12", true, false, false, 1},
        {"card show 12 --dir=/x=y 13", "card show", "/x=y", NULL, "12", false, false, false, 2},
        {"card show -- --json", "card show", NULL, NULL, "--json", false, false, false, 1},
        {"card show - --lang ja", "card show", NULL, NULL, "-", false, false, true, 1},
        {"card show --help", "card show", NULL, NULL, NULL, false, true, false, 0},
        {"card list -h", "card list", NULL, NULL, NULL, false, true, false, 0},
        {"card show 1 --limit=5", "card show", NULL, "5", "1", false, false, false, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char room[128];
        struct args args;

        if (!parse(cases[i].line, "C", &args, room))
            fail_msg("%s: %s", cases[i].line, args.problem);
        assert_string_equal(args.verb->name, cases[i].verb);
        assert_int_equal(args.operand_count, cases[i].operands);
        assert_int_equal(args.help, cases[i].help);
        assert_int_equal(args.ja, cases[i].ja);
        if (cases[i].first)
            assert_string_equal(args.operands[0], cases[i].first);
        if (args.verb->options != show_options)
            continue;
        assert_int_equal(args_flag(&args, "json"), cases[i].json);
        assert_int_equal(args_value(&args, "dir") == NULL, cases[i].dir == NULL);
        if (cases[i].dir)
            assert_string_equal(args_value(&args, "dir"), cases[i].dir);
        assert_int_equal(args_value(&args, "limit") == NULL, cases[i].limit == NULL);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"nope", "unknown verb \"nope\": help version card"},
        {"card", "\"card\" needs an action: list show"},
        {"card nope", "\"card\" needs an action: list show"},
        {"car", "unknown verb"},
        {"version extra", "usage: tasuki version"},
        {"card show", "usage: tasuki card show NUMBER"},
        {"card show 1 2 3", "usage:"},
        {"card show 1 --nope", "unknown option --nope of card show"},
        {"card show 1 -json", "unknown option -json"},
        {"card show 1 --dir", "--dir needs a value"},
        {"card show 1 --json=yes", "--json takes no value"},
        {"version --json", "unknown option --json"},
        {"--json card list", "unknown option --json"},
        {"card list --lang fr", "--lang ja|en"},
        {"--lang", "--lang ja|en"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char room[128];
        struct args args;

        if (parse(cases[i].line, NULL, &args, room))
            fail_msg("%s was accepted", cases[i].line);
        if (!strstr(args.problem, cases[i].says))
            fail_msg("%s says: %s", cases[i].line, args.problem);
    }
}

static void test_language(void **state)
{
    char room[128];
    struct args args;

    (void)state;
    assert_true(parse("version", "ja_JP.UTF-8", &args, room));
    assert_true(args.ja);
    assert_true(parse("version --lang en", "ja_JP.UTF-8", &args, room));
    assert_false(args.ja);
    assert_false(parse("card", "ja_JP.UTF-8", &args, room));
    assert_non_null(strstr(args.problem, "動作が要ります"));
}

static void test_numbers(void **state)
{
    char room[128];
    struct args args;
    uint64_t n = 77;

    (void)state;
    assert_true(parse("card list --limit 5", NULL, &args, room));
    assert_true(args_number(&args, "limit", 1, 10, 3, &n));
    assert_int_equal(n, 5);
    assert_true(parse("card list", NULL, &args, room));
    assert_true(args_number(&args, "limit", 1, 10, 3, &n));
    assert_int_equal(n, 3);
    assert_true(parse("card list --limit 11", NULL, &args, room));
    assert_false(args_number(&args, "limit", 1, 10, 3, &n));
    assert_true(parse("card list --limit 5x", NULL, &args, room));
    assert_false(args_number(&args, "limit", 1, 10, 3, &n));
    assert_true(parse("card list --limit -5", NULL, &args, room));
    assert_false(args_number(&args, "limit", 1, 10, 3, &n));
    assert_int_equal(n, 3); /* untouched on failure */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

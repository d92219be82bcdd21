/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading arguments. Options may stand anywhere after the verb, as "--name value" or
 * "--name=value"; "--" ends them. --lang and --help belong to every verb.
 */
#include "exchange/cli/args.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

#include "base/banned.h"

struct reading {
    struct args *args;
    int argc;
    char **argv;
    int at;
};

/* Length of VERB's first word. */
static size_t group_len(const char *name)
{
    return strcspn(name, " ");
}

static const struct args_verb *find_verb(const struct args_verb *table, const char *word,
                                         const char *next, int *ret_words)
{
    for (const struct args_verb *v = table; v->name; v++) {
        size_t len = group_len(v->name);
        bool first = strlen(word) == len && strncmp(v->name, word, len) == 0;

        if (!first)
            continue;
        if (v->name[len] == '\0') {
            *ret_words = 1;
            return v;
        }
        if (next && strcmp(v->name + len + 1, next) == 0) {
            *ret_words = 2;
            return v;
        }
    }
    return NULL;
}

static void say_no_verb(const struct args_verb *table, struct args *a, const char *word)
{
    size_t used = 0;
    bool group = false;

    for (const struct args_verb *v = table; v->name; v++)
        group |= group_len(v->name) == strlen(word) && strncmp(v->name, word, strlen(word)) == 0;
    used =
        (size_t)snprintf(a->problem, sizeof(a->problem),
                         group ? (a->ja ? "「%s」の後に動作が要ります:" : "\"%s\" needs an action:")
                               : (a->ja ? "「%s」という動詞はありません:" : "unknown verb \"%s\":"),
                         word);
    for (const struct args_verb *v = table; v->name && used < sizeof(a->problem); v++) {
        size_t len = group_len(v->name);
        bool repeated = v > table && strncmp(v->name, v[-1].name, len + 1) == 0;
        bool ours = strlen(word) == len && strncmp(v->name, word, len) == 0;

        if (group && ours)
            used += (size_t)snprintf(a->problem + used, sizeof(a->problem) - used, " %s",
                                     v->name + len + 1);
        else if (!group && !(repeated && v->name[len] == ' '))
            used += (size_t)snprintf(a->problem + used, sizeof(a->problem) - used, " %.*s",
                                     (int)len, v->name);
    }
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* The value of the option at hand: after '=' or the next word. */
static const char *take_value(struct reading *r, const char *equals)
{
    if (equals)
        return equals + 1;
    return r->at + 1 < r->argc ? r->argv[++r->at] : NULL;
}

static bool set_language(struct reading *r, const char *value)
{
    if (value && (strcmp(value, "ja") == 0 || strcmp(value, "en") == 0)) {
        r->args->ja = value[0] == 'j';
        return true;
    }
    (void)snprintf(r->args->problem, sizeof(r->args->problem), "--lang ja|en");
    return false;
}

static bool read_option(struct reading *r, const char *word)
{
    struct args *a = r->args;
    const char *name = word + (word[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    struct slice given = slice_of(name, equals ? (size_t)(equals - name) : strlen(name));
    unsigned i = 0;

    if (slice_is(given, "help") || slice_is(given, "h")) {
        a->help = true;
        return true;
    }
    if (slice_is(given, "lang"))
        return set_language(r, take_value(r, equals));
    for (const struct args_option *o = a->verb->options; o && o->name; o++, i++) {
        if (!slice_is(given, o->name) || word[1] != '-')
            continue;
        assert(i < ARGS_OPTIONS_MAX);
        a->values[i] = o->value ? take_value(r, equals) : equals ? NULL : "";
        if (a->values[i])
            return true;
        (void)snprintf(a->problem, sizeof(a->problem),
                       o->value ? (a->ja ? "--%s には値が要ります" : "--%s needs a value")
                                : (a->ja ? "--%s は値を取りません" : "--%s takes no value"),
                       o->name);
        return false;
    }
    (void)snprintf(a->problem, sizeof(a->problem),
                   a->ja ? "「%.80s」という指定は %s にありません" : "unknown option %.80s of %s",
                   word, a->verb->name);
    return false;
}

static bool read_rest(struct reading *r)
{
    struct args *a = r->args;
    bool ended = false;

    for (; r->at < r->argc; r->at++) {
        char *word = r->argv[r->at];

        if (!ended && strcmp(word, "--") == 0)
            ended = true;
        else if (!ended && is_option(word)) {
            if (!read_option(r, word))
                return false;
        } else
            a->operands[a->operand_count++] = word; /* never ahead of r->at */
    }
    if (a->help || (a->operand_count >= a->verb->least && a->operand_count <= a->verb->most))
        return true;
    (void)snprintf(a->problem, sizeof(a->problem),
                   a->ja ? "書き方: tasuki %s %s" : "usage: tasuki %s %s", a->verb->name,
                   a->verb->operands);
    return false;
}

/* Options before the verb: only the ones of every verb. Returns false on a usage error. */
static bool read_leading(struct reading *r)
{
    static const struct args_verb none = {.name = "tasuki", .operands = ""};

    r->args->verb = &none;
    for (r->at = 1; r->at < r->argc && is_option(r->argv[r->at]); r->at++)
        if (strcmp(r->argv[r->at], "--version") == 0)
            return true; /* known as a verb below */
        else if (!read_option(r, r->argv[r->at]))
            return false;
    r->args->verb = NULL;
    return true;
}

bool args_parse(const struct args_verb *table, int argc, char **argv, const char *env_lang,
                struct args *ret_args)
{
    struct reading r = {.args = ret_args, .argc = argc, .argv = argv};
    int words = 0;
    const char *word = NULL;

    *ret_args = (struct args){.ja = env_lang && strncmp(env_lang, "ja", 2) == 0};
    if (!read_leading(&r)) {
        ret_args->verb = NULL;
        return false;
    }
    word = r.at < argc ? argv[r.at] : "help";
    if (strcmp(word, "--version") == 0)
        word = "version";
    ret_args->verb = find_verb(table, word, r.at + 1 < argc ? argv[r.at + 1] : NULL, &words);
    if (!ret_args->verb) {
        say_no_verb(table, ret_args, word);
        return false;
    }
    r.at = r.at < argc ? r.at + words : argc;
    ret_args->operands = argv + (r.at < argc ? r.at : argc);
    return read_rest(&r);
}

const char *args_value(const struct args *args, const char *name)
{
    const struct args_option *o = args->verb->options;
    unsigned i = 0;

    while (o && o->name && strcmp(o->name, name) != 0) {
        o++;
        i++;
    }
    assert(o && o->name); /* asking for an option the verb does not have is our mistake */
    return args->values[i];
}

bool args_flag(const struct args *args, const char *name)
{
    return args_value(args, name) != NULL;
}

bool args_number(const struct args *args, const char *name, uint64_t low, uint64_t high,
                 uint64_t preset, uint64_t *ret_number)
{
    const char *text = args_value(args, name);
    uint64_t number = preset;

    if (text && !slice_u64(slice_str(text), &number))
        return false;
    if (number < low || number > high)
        return false;
    *ret_number = number;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments of the command line, read against one table of verbs: what a verb takes is written
 * there and nowhere else, so help, completion and parsing agree. Nothing is guessed: an unknown
 * verb or option is an error that names what there is.
 */
#ifndef EXCHANGE_CLI_ARGS_H
#define EXCHANGE_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_OPTIONS_MAX 12

struct args;

struct args_option {
    const char *name;  /* without the dashes; NULL ends the list */
    const char *value; /* what it is called in help; NULL: a flag */
    const char *en, *ja;
};

struct args_verb {
    const char *name;                  /* "version" or "cert issue"; NULL ends the table */
    const char *operands;              /* as shown in help, may be "" */
    unsigned least, most;              /* number of operands */
    const struct args_option *options; /* may be NULL */
    int (*run)(const struct args *args);
    const char *en, *ja; /* one line */
};

struct args {
    const struct args_verb *verb;
    const char *values[ARGS_OPTIONS_MAX]; /* by position in verb->options; "" for a flag given */
    char **operands;
    unsigned operand_count;
    bool ja;           /* language of messages and help */
    bool help;         /* --help was given */
    char problem[320]; /* what is wrong, after args_parse returned false */
};

/* Reads ARGV against TABLE. ENV_LANG is the environment's language ("ja_JP.UTF-8", may be NULL).
 * Operands are moved to the front of ARGV's rest, whose storage is kept. False: usage error, see
 * problem; the verb is still set when it was recognised. */
bool args_parse(const struct args_verb *table, int argc, char **argv, const char *env_lang,
                struct args *ret_args);

/* Value of an option; NULL when it was not given (asking for one the verb does not have is our
 * mistake). */
const char *args_value(const struct args *args, const char *name);
bool args_flag(const struct args *args, const char *name);
/* A whole number between LOW and HIGH; PRESET when not given; false when it is none. */
bool args_number(const struct args *args, const char *name, uint64_t low, uint64_t high,
                 uint64_t preset, uint64_t *ret_number);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * help, version and completion: printed from the verb table.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/cli/cli.h"
#include "exchange/version.h"

#include "base/banned.h"

static void print_options(const struct args *args, const struct args_verb *verb)
{
    for (const struct args_option *o = verb->options; o && o->name; o++)
        (void)printf("  --%s%s%s\n        %s\n", o->name, o->value ? " " : "",
                     o->value ? o->value : "", cli_pick(args, o->en, o->ja));
    (void)printf("  --lang ja|en\n        %s\n",
                 cli_pick(args, "language of messages", "表示する言語"));
}

static void print_verb(const struct args *args, const struct args_verb *verb)
{
    (void)printf("tasuki %s %s\n  %s\n", verb->name, verb->operands,
                 cli_pick(args, verb->en, verb->ja));
    print_options(args, verb);
}

static void print_all(const struct args *args)
{
    (void)printf("tasuki %s - %s\n\n", TASUKI_VERSION,
                 cli_pick(args, "regional health record exchange", "地域医療情報連携"));
    for (const struct args_verb *v = cli_verbs; v->name; v++) {
        char head[64];

        (void)snprintf(head, sizeof(head), "%s %s", v->name, v->operands);
        (void)printf("  %-24s %s\n", head, cli_pick(args, v->en, v->ja));
    }
    (void)printf(
        "\n%s\n%s\n",
        cli_pick(args, "tasuki help VERB says more about one.",
                 "tasuki help 動詞 で詳しい説明を表示します。"),
        cli_pick(args,
                 "Exit codes: 0 ok, 1 failed start or configuration, 2 usage, 3 errors found, "
                 "4 not found, 5 refused, 75 try again.",
                 "終了コード: 0 正常、1 起動・設定の失敗、2 書き方の誤り、3 検査で誤りあり、"
                 "4 見つからない、5 拒否、75 再試行。"));
}

/* Prints each verb whose name is WORDS or begins with them as a group. */
static bool print_matching(const struct args *args, const char *first, const char *second)
{
    char wanted[64];
    bool any = false;
    int n =
        snprintf(wanted, sizeof(wanted), "%s%s%s", first, second ? " " : "", second ? second : "");

    if (n < 0 || n >= (int)sizeof(wanted))
        return false;
    for (const struct args_verb *v = cli_verbs; v->name; v++)
        if (strncmp(v->name, wanted, (size_t)n) == 0 && (v->name[n] == '\0' || v->name[n] == ' ')) {
            print_verb(args, v);
            any = true;
        }
    return any;
}

int cli_help(const struct args *args)
{
    bool asked = args->verb->run == cli_help;

    if (!asked) {
        print_verb(args, args->verb); /* VERB --help */
        return CLI_OK;
    }
    if (args->operand_count == 0) {
        print_all(args);
        return CLI_OK;
    }
    if (print_matching(args, args->operands[0], args->operand_count > 1 ? args->operands[1] : NULL))
        return CLI_OK;
    cli_say(args, "there is no such verb", "その動詞はありません");
    return CLI_USAGE;
}

int cli_version(const struct args *args)
{
    if (args_flag(args, "json"))
        (void)printf("{\"name\":\"tasuki\",\"version\":\"%s\"}\n", TASUKI_VERSION);
    else
        (void)printf("tasuki %s\n", TASUKI_VERSION);
    return CLI_OK;
}

/* Words after the first: actions of a group. */
static void print_groups(void)
{
    for (const struct args_verb *v = cli_verbs; v->name; v++) {
        size_t len = strcspn(v->name, " ");

        if (v->name[len] == '\0' || (v > cli_verbs && strncmp(v->name, v[-1].name, len + 1) == 0))
            continue;
        (void)printf("    %.*s) words=\"", (int)len, v->name);
        for (const struct args_verb *w = v; w->name && strncmp(w->name, v->name, len + 1) == 0; w++)
            (void)printf("%s%s", w == v ? "" : " ", w->name + len + 1);
        (void)printf("\";;\n");
    }
}

int cli_completion(const struct args *args)
{
    if (args->operand_count > 0 && strcmp(args->operands[0], "bash") != 0)
        return cli_usage(args, "only bash is known", "bash だけに対応しています");
    (void)printf("# bash completion for tasuki: source <(tasuki completion bash)\n"
                 "_tasuki() {\n"
                 "  local words= cur=${COMP_WORDS[COMP_CWORD]}\n"
                 "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"");
    for (const struct args_verb *v = cli_verbs; v->name; v++) {
        size_t len = strcspn(v->name, " ");

        if (v == cli_verbs || strncmp(v->name, v[-1].name, len) != 0)
            (void)printf("%s%.*s", v == cli_verbs ? "" : " ", (int)len, v->name);
    }
    (void)printf("\"\n  elif [ \"$COMP_CWORD\" -eq 2 ]; then\n    case ${COMP_WORDS[1]} in\n");
    print_groups();
    (void)printf("    esac\n  fi\n"
                 "  case $cur in -*) words=\"--config --dir --json --lang --help\";; esac\n"
                 "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                 "}\n"
                 "complete -F _tasuki tasuki\n");
    return CLI_OK;
}

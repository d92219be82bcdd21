/* SPDX-License-Identifier: Apache-2.0
 *
 * A refused HL7 v2 message for the eyes of who must correct it.
 */
#ifndef EXCHANGE_CLI_MESSAGE_TREE_H
#define EXCHANGE_CLI_MESSAGE_TREE_H

#include "base/arena.h"
#include "exchange/cli/args.h"

/* What is wrong and where ("PID[1]-3.1", "MSH-18", "line 7" as in err_item.place). */
struct message_finding {
    struct slice place, code, text;
};

/* BYTES decoded by the set that MSH-18 names, one segment a line, to stdout; bytes that are not in
 * that set appear as <E9>, which is said on stderr. */
enum err message_tree_text(const struct args *args, struct arena *arena,
                           struct slice bytes) ERR_CHECKED;
/* The same taken apart: each field with its number, its Japanese and English name and its parts, and
 * under its place the finding. A message that cannot be taken apart is printed as by
 * message_tree_text, with the finding under its line. */
enum err message_tree_print(const struct args *args, struct arena *arena, struct slice bytes,
                            const struct message_finding *finding) ERR_CHECKED;

#endif

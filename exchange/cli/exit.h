/* SPDX-License-Identifier: Apache-2.0
 *
 * Exit codes of the program, as the contract with those who script it (docs/doors/commands.md). One list
 * for the verbs and for what runs a server.
 */
#ifndef EXCHANGE_CLI_EXIT_H
#define EXCHANGE_CLI_EXIT_H

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* failed start, invalid configuration */
    CLI_USAGE = 2,
    CLI_INVALID = 3, /* validation found errors */
    CLI_NOT_FOUND = 4,
    CLI_REFUSED = 5,
    CLI_TRY_AGAIN = 75
};

#endif

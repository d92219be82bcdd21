/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: hands its arguments to the command line (exchange/cli), nothing else.
 */
#include "exchange/cli/cli.h"

#include "base/banned.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}

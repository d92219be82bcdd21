/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that do not compile here: unbounded writes, hidden state, locale. Included by every .c file
 * last (tests/tidy checks).
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok strncpy strncat
#pragma GCC poison localtime gmtime ctime asctime tmpnam mktemp rand srand atoi atol atof

#endif

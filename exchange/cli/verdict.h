/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's verdict on a document, without a store: what doors check before anything is written.
 */
#ifndef EXCHANGE_CLI_VERDICT_H
#define EXCHANGE_CLI_VERDICT_H

#include "base/arena.h"
#include "base/err.h"
#include "mappers/mapped.h"
#include "mappers/ssmix2/path.h"

/* Checks and maps a message. With PATH (a file's in a standard storage, else NULL) path and content
 * must agree. ret_mapped may be NULL; it is in the message's arena. */
enum err verdict_message(const struct hl7_message *message, const struct ssmix2_path *path,
                         struct err_list *errors, struct mapped **ret_mapped) ERR_CHECKED;
/* The same from bytes, lexed in ARENA. */
enum err verdict_hl7(struct arena *arena, struct slice bytes, struct err_list *errors,
                     struct mapped **ret_mapped) ERR_CHECKED;
/* Does it begin as XML does, white space and a mark aside? */
bool verdict_is_xml(struct slice bytes);
/* Parses a FHIR resource in XML or JSON. */
enum err verdict_parse(struct arena *arena, struct slice bytes, struct err_list *errors,
                       struct json **ret_resource) ERR_CHECKED;
/* Parses it so and validates it. ret_resource may be NULL. */
enum err verdict_fhir(struct arena *arena, struct slice bytes, struct err_list *errors,
                      struct json **ret_resource) ERR_CHECKED;

#endif

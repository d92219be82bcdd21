/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as Accept, Content-Type, _format and Prefer. There is always a form to answer in, and
 * what is not acceptable is said so.
 */
#include <stdint.h>
#include <stdlib.h>

#include "exchange/door/fhir_media.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool is_form(enum fhir_media media)
{
    return media == FHIR_MEDIA_JSON || media == FHIR_MEDIA_XML;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice field = slice_of(data, size);
    struct fhir_wish wish = {.form = FHIR_MEDIA_COUNT};
    enum fhir_media media = FHIR_MEDIA_COUNT;
    enum err err = fhir_media_accept(field, &wish);
    must(is_form(wish.form) && !wish.named);
    must(err == ERR_OK || (err == ERR_NOT_ACCEPTABLE && !wish.html));
    err = fhir_media_content(field, &media);
    must(err ? err == ERR_MEDIA_TYPE : is_form(media) || media == FHIR_MEDIA_OTHER);
    wish = (struct fhir_wish){.form = FHIR_MEDIA_COUNT};
    err = fhir_media_format(field, &wish);
    must(err ? err == ERR_NOT_ACCEPTABLE && wish.form == FHIR_MEDIA_COUNT
             : is_form(wish.form) && wish.named);
    must(!fhir_media_prefers(field, "return", "minimal") || size >= sizeof("return=minimal") - 1);
    return 0;
}

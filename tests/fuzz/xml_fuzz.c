/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes into the way in for XML: it must end well and soon, give a tree or say why not, in both
 * languages. What is accepted must hold no DOCTYPE as markup.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mappers/xml.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct _xmlDoc *doc = NULL;
    struct xml_fault fault = {0};
    enum err err = xml_parse(slice_of(data, size), &doc, &fault);
    must((err == ERR_OK) == (doc != NULL));
    must((err == ERR_OK) == (fault.en == NULL) && (err == ERR_OK) == (fault.ja == NULL));
    if (doc)
        (void)xml_root_is(doc, "urn:hl7-org:v3", "ClinicalDocument");
    xml_free(doc);
    return 0;
}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes mappers/hl7v2/names_table.c and mappers/ssmix2/rule_table.c.

Input: a table of the fields of the segments that SS-MIX2 uses, tab separated, with the columns field, English name,
Japanese name, data type, length and one column per kind of data (first "*": all others) that says R, RE, C, O or N.
The facts come from the field definitions of the National Hospital Organization's data testing tool (Apache-2.0,
specification 1.2c). Usage: fields.py TABLE; run from the root of the repository.
"""
import sys
import unicodedata

KINDS = '* PPR-01 OMD OMP-01 OMP-11 OMP-02 OMP-12 OML-01 OML-11 OMG-01 OMG-02 OMG-03 OMG-11 OMG-12 OMG-13'.split()


def quote(text):
    text = ' '.join(unicodedata.normalize('NFC', text).split())
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def rows(path):
    with open(path, encoding='utf-8') as file:
        lines = [line.rstrip('\n').split('\t') for line in file if not line.startswith('#')]
    head, body = lines[0], lines[1:]
    assert head[5:] == KINDS, head
    for row in body:
        segment, number = row[0].split('-')
        yield segment, int(number), row[1], row[2], row[3], row[5:]


def write_names(table):
    with open('mappers/hl7v2/names_table.c', 'w', encoding='utf-8') as out:
        out.write('''/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and data types of the fields of the segments that Japanese messages use, in order of
 * segment and number. Written by mappers/ssmix2/gen/fields.py; see there for the source.
 */
#include "mappers/hl7v2/names.h"

#include <stddef.h>

#include "base/banned.h"

/* clang-format off */
const struct names_field names_fields[] = {
''')
        for segment, number, en, ja, kind, _ in sorted(table):
            out.write(f'    {{"{segment}", {number}, "{kind}", {quote(en)}, {quote(ja)}}},\n')
        out.write('    {NULL, 0, NULL, NULL, NULL},\n};\n/* clang-format on */\n')
        out.write('const unsigned names_count = sizeof(names_fields) / sizeof(names_fields[0]) - 1;\n')


def write_rules(table):
    with open('mappers/ssmix2/rule_table.c', 'w', encoding='utf-8') as out:
        out.write('''/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields that the SS-MIX2 standard storage requires: bit n of the mask is the n-th of
 * rule_kinds[], bit 0 all kinds of data that are not named there. Written by
 * mappers/ssmix2/gen/fields.py; see there for the source.
 */
#include "mappers/ssmix2/rule.h"

#include "base/banned.h"

const char *const rule_kinds[] = {
''')
        out.write('    ' + ', '.join(f'"{k}"' for k in KINDS[:8]) + ',\n    ')
        out.write(', '.join(f'"{k}"' for k in KINDS[8:]) + ', NULL,\n};\n\n')
        out.write('/* clang-format off */\nconst struct rule_required rule_required[] = {\n')
        for segment, number, _, _, _, uses in sorted(table):
            mask = sum(1 << i for i, use in enumerate(uses) if use == 'R')
            if mask:
                out.write(f'    {{"{segment}", {number}, 0x{mask:04x}}},\n')
        out.write('    {NULL, 0, 0},\n};\n/* clang-format on */\n')


if __name__ == '__main__':
    fields = list(rows(sys.argv[1]))
    write_names(fields)
    write_rules(fields)
